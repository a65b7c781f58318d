package io.mixt5.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.mixt5.engine.reference.ReferenceBackend;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadBackTest {
    /** Memory that Java is not to look into, and that counts how often it is copied from. */
    private static final class Remote extends HostMemory {
        private final Backend reference = new ReferenceBackend();
        private int downloads;

        @Override
        public String name() {
            return "remote";
        }

        @Override
        public String unavailable() {
            return null;
        }

        @Override
        public boolean hostVisible() {
            return false;
        }

        @Override
        public void download(long source, MemorySegment target) {
            downloads++;
            super.download(source, target);
        }

        @Override
        public <K extends Kernel> K kernel(Class<K> type) {
            return reference.kernel(type);
        }
    }

    @Test
    void tensorsOfAllTypesComeInOneCopy() {
        Remote remote = new Remote();
        Device device = Device.uncached(remote);
        try (Scope scope = new Scope(device)) {
            List<Tensor> tensors = List.of(scope.ints(new int[]{1, -2, Integer.MAX_VALUE}, "ints"),
                    scope.allocate(DType.F16, Shape.of(3), "halves").upload(new double[]{0.5, -65504, 3}),
                    scope.allocate(DType.F64, Shape.of(1), "double").upload(new double[]{Math.PI}),
                    scope.ints(new int[0], "none"),
                    scope.floats(Shape.of(1), new float[]{Float.NaN}, "float"));
            List<double[]> values = ReadBack.of(tensors);
            assertEquals(1, remote.downloads);
            assertEquals(5, values.size());
            assertArrayEquals(new double[]{1, -2, Integer.MAX_VALUE}, values.get(0));
            assertArrayEquals(new double[]{0.5, -65504, 3}, values.get(1));
            assertArrayEquals(new double[]{Math.PI}, values.get(2));
            assertArrayEquals(new double[0], values.get(3));
            assertArrayEquals(new double[]{Double.NaN}, values.get(4));
        }
        assertEquals(0, device.liveTensors());
    }

    @Test
    void noTensorsNeedNoDevice() {
        assertEquals(List.of(), ReadBack.of(List.of()));
    }
}
