package io.mixt5.kernels.cuda;
import io.mixt5.engine.*;
import org.junit.jupiter.api.*;
import java.util.stream.*;
class ZTest {
    @TestFactory Stream<DynamicTest> t() throws Exception {
        var m = BackendConformance.class.getDeclaredMethod("compare", OpCase.class, Backend.class, DType.class); m.setAccessible(true);
        return Ops.all().stream().filter(o -> System.getProperty("ops","").isEmpty() || (","+System.getProperty("ops")+",").contains(","+o.name()+",")).flatMap(o -> o.cases().stream().flatMap(c -> Stream.of(DType.F32, DType.F16, DType.BF16).map(d -> DynamicTest.dynamicTest(o.name()+": "+c.name()+" "+d, () -> {
            try { if (CudaDevices.backend().kernel(o.kernelType()).unsupported(d) == null) m.invoke(null, c, CudaDevices.backend(), d);} catch (java.lang.reflect.InvocationTargetException e) { throw e.getCause(); } }))));
    }
}
