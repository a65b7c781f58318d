package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScopeTest {
    private final CountingBackend backend = new CountingBackend();
    private final Device device = Device.uncached(backend);

    @AfterEach
    void leavesNothing() {
        assertEquals(0, device.liveTensors());
    }

    private static Tensor small(Scope scope) {
        return scope.allocate(DType.F32, Shape.of(2), "small");
    }

    @Test
    void closesWhatItAllocated() {
        Scope scope = new Scope(device);
        assertSame(device, scope.device());
        Tensor zeros = scope.zeros(DType.F32, Shape.of(2, 2), "zeros");
        assertArrayEquals(new float[4], zeros.toFloats());
        Tensor ints = scope.ints(new int[]{3, 4}, "ints");
        Tensor floats = scope.floats(Shape.of(1, 2), new float[]{5, 6}, "floats");
        assertEquals(3, device.liveTensors());
        scope.close();
        assertTrue(zeros.closed() && ints.closed() && floats.closed());
    }

    @Test
    void closesTheLastFirst() {
        List<Long> addresses = new ArrayList<>();
        try (Scope scope = new Scope(device)) {
            for (int i = 0; i < 4; i++) {
                addresses.add(small(scope).address());
            }
        }
        assertEquals(addresses.reversed(), backend.freed);
    }

    @Test
    void closesWhenTheStepFails() {
        assertThrows(ArithmeticException.class, () -> {
            try (Scope scope = new Scope(device)) {
                small(scope);
                throw new ArithmeticException();
            }
        });
    }

    @Test
    void closingTwiceIsHarmless() {
        Scope scope = new Scope(device);
        small(scope);
        scope.close();
        scope.close();
        assertEquals(1, backend.freed.size());
    }

    @Test
    void tensorsMayBeClosedEarlyAndInAnyOrder() {
        try (Scope scope = new Scope(device)) {
            List<Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                tensors.add(small(scope));
                if (i % 3 == 2) {
                    tensors.remove((Philox.bits(1, 0, 0, i) >>> 1) % tensors.size()).close();
                }
            }
            assertEquals(tensors.size(), device.liveTensors());
            assertTrue(tensors.stream().noneMatch(Tensor::closed));
        }
        assertEquals(50, backend.freed.size());
    }

    @Test
    void theOutermostScopeKeepsForTheCaller() {
        Tensor kept;
        try (Scope scope = new Scope(device)) {
            small(scope);
            kept = scope.keep(small(scope));
            small(scope);
        }
        assertFalse(kept.closed());
        assertEquals(1, device.liveTensors());
        kept.close();
    }

    @Test
    void aChildKeepsForItsParent() {
        Scope parent = new Scope(device);
        Tensor kept;
        Tensor other;
        try (Scope child = parent.child()) {
            assertSame(device, child.device());
            other = small(child);
            kept = child.keep(small(child));
        }
        assertTrue(other.closed());
        assertFalse(kept.closed());
        parent.close();
        assertTrue(kept.closed());
    }

    @Test
    void keepingTravelsOneLevelAtATime() {
        try (Scope outer = new Scope(device)) {
            Tensor kept;
            try (Scope middle = outer.child()) {
                try (Scope inner = middle.child()) {
                    kept = inner.keep(small(inner));
                }
                assertFalse(kept.closed());
            }
            assertTrue(kept.closed());
        }
    }

    @Test
    void aGradientIsKeptWithItsTensor() {
        try (Scope parent = new Scope(device)) {
            Tensor kept;
            try (Scope child = parent.child()) {
                kept = small(child).requireGrad();
                kept.setGrad(small(child));
                child.keep(kept);
            }
            assertFalse(kept.grad().closed());
        }
    }

    @Test
    void aClosedScopeOwnsNothing() {
        Scope parent = new Scope(device);
        Scope child = parent.child();
        Tensor tensor = small(child);
        parent.close();
        assertThrows(IllegalStateException.class, () -> small(parent));
        assertThrows(IllegalStateException.class, parent::child);
        assertThrows(IllegalStateException.class, () -> child.keep(tensor), "the parent cannot take it");
        assertFalse(tensor.closed());
        child.close();
        assertTrue(tensor.closed());
        assertThrows(IllegalStateException.class, () -> child.keep(tensor));
    }

    @Test
    void othersTensorsAreNotItsToKeep() {
        try (Scope outer = new Scope(device)) {
            Tensor outers = small(outer);
            try (Scope inner = outer.child()) {
                assertSame(outers, inner.keep(outers));
            }
            assertFalse(outers.closed());
        }
        try (Tensor owned = Tensor.create(device, DType.F32, Shape.of(1), "owned")) {
            try (Scope scope = new Scope(device)) {
                scope.keep(owned);
            }
            assertFalse(owned.closed());
        }
    }
}
