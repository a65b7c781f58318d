package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.Scale;
import io.mixt5.engine.reference.ReferenceAdd;
import io.mixt5.engine.reference.ReferenceBackend;
import org.junit.jupiter.api.Test;

class KernelTableTest {
    @Test
    void findsKernelsByTheirNames() {
        KernelTable kernels = new KernelTable(ReferenceBackend.class, "Reference");
        Add.Kernel add = kernels.get(Add.Kernel.class);
        assertInstanceOf(ReferenceAdd.class, add);
        assertSame(add, kernels.get(Add.Kernel.class), "one instance per op");
        assertInstanceOf(Scale.Kernel.class, kernels.get(Scale.Kernel.class));
    }

    @Test
    void aMissingKernelNamesClassAndOp() {
        KernelTable kernels = new KernelTable(KernelTableTest.class, "Absent");
        var error = assertThrows(UnsupportedOperationException.class, () -> kernels.get(Add.Kernel.class));
        assertEquals("no kernel io.mixt5.engine.AbsentAdd for the op Add; add that class or use another device",
                error.getMessage());
        assertTrue(error.getCause() instanceof ClassNotFoundException);
        assertThrows(UnsupportedOperationException.class, () -> kernels.get(Add.Kernel.class), "asked again");
    }

    /** A kernel that cannot start. */
    static final class BrokenAdd implements Add.Kernel {
        BrokenAdd() {
            throw new UnsatisfiedLinkError("no library");
        }

        @Override
        public String unsupported(DType dtype) {
            return null;
        }

        @Override
        public void forward(Tensor a, Tensor b, Tensor y) {
        }

        @Override
        public void accumulate(Tensor x, Tensor into) {
        }
    }

    /** A class with a kernel's name that is none. */
    static final class StrayAdd {
    }

    /** A kernel that nobody can make. */
    abstract static class UnfinishedAdd implements Add.Kernel {
    }

    @Test
    void aBrokenKernelSaysWhatIsWrong() {
        broken("Broken", "the constructor of the kernel %s failed: java.lang.UnsatisfiedLinkError: no library");
        broken("Stray", "the kernel %s does not implement Add.Kernel");
        broken("Unfinished", "the kernel %s cannot be made; give it a public constructor without arguments");
    }

    private static void broken(String prefix, String message) {
        KernelTable kernels = new KernelTable(KernelTableTest.class, "KernelTableTest$" + prefix);
        var error = assertThrows(IllegalStateException.class, () -> kernels.get(Add.Kernel.class));
        assertEquals(message.formatted("io.mixt5.engine.KernelTableTest$" + prefix + "Add"), error.getMessage());
    }
}
