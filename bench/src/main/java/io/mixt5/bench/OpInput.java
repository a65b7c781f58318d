package io.mixt5.bench;

import io.mixt5.engine.DType;
import io.mixt5.engine.OpCase;
import io.mixt5.engine.Ops;
import io.mixt5.engine.Scope;
import io.mixt5.engine.Sizes;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.TimedCase;
import io.mixt5.engine.UserException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The inputs of an op's case in memory. */
final class OpInput implements AutoCloseable {
    /** Float inputs repeat after so many elements: random numbers for all of them would take longer than the benchmark. */
    private static final int PERIOD = 1 << 20;

    private final TimedCase timed;
    private final Scope scope;
    private final List<Tensor> tensors = new ArrayList<>();

    /** Makes the inputs of the case named {@code op}. */
    OpInput(DeviceState device, Sizes sizes, String op) {
        timed = cases(sizes).stream().filter(candidate -> candidate.work().name().equals(op)).findFirst()
                .orElseThrow(() -> new UserException("No op has a case named '" + op + "'."));
        scope = new Scope(device.get());
        for (OpCase.Input input : timed.work().inputs()) {
            Tensor tensor = scope.allocate(input.integer() ? DType.I32 : DType.F32, input.shape(), input.name());
            fill(tensor, input, tensors.size());
            tensors.add(input.grad() ? tensor.requireGrad() : tensor);
        }
    }

    /** The cases of all ops. */
    static List<TimedCase> cases(Sizes sizes) {
        return Ops.all().stream().flatMap(op -> op.timed(sizes).stream()).toList();
    }

    private static void fill(Tensor tensor, OpCase.Input input, int stream) {
        int count = Math.toIntExact(tensor.count());
        if (input.integer()) {
            tensor.upload(IntStream.range(0, count).map(i -> (int) input.fill().value(stream, i)).toArray());
            return;
        }
        float[] values = new float[count];
        int random = Math.min(count, PERIOD);
        IntStream.range(0, random).parallel().forEach(i -> values[i] = (float) input.fill().value(stream, i));
        for (int from = random; from < count; from += random) {
            System.arraycopy(values, 0, values, from, Math.min(random, count - from));
        }
        tensor.upload(values);
    }

    /** What the case costs. */
    TimedCase timed() {
        return timed;
    }

    /** In the order of the case's inputs. */
    List<Tensor> tensors() {
        return tensors;
    }

    @Override
    public void close() {
        scope.close();
    }
}
