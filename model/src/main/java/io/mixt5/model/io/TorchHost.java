package io.mixt5.model.io;

import io.mixt5.model.io.PickleReader.Refusal;
import io.mixt5.model.io.PickleReader.Tuple;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The few names that the pickle of a state dict needs (PyTorch, {@code torch/_utils.py}, {@code torch/serialization.py}):
 * types of storages, and three functions that make descriptions of tensors here. Stateless.
 */
final class TorchHost implements PickleReader.Host {
    /** Elements in a row that tensors view, kept outside the pickle under {@code key}. */
    record Storage(String key, SafetensorsType type, long count) {
        /** Size of the elements; the count was checked to allow that. */
        long bytes() {
            return count * type.bytes();
        }
    }

    /** Element [i, j, ...] is the storage's number {@code offset + i * strides[0] + j * strides[1] + ...}. */
    record View(Storage storage, long offset, long[] shape, long[] strides) {
    }

    private enum Function {
        ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER
    }

    /** PyTorch's own limit. */
    private static final int MAX_DIMENSIONS = 64;

    private static final Map<String, Object> GLOBALS = Map.ofEntries(
            Map.entry("collections.OrderedDict", Function.ORDERED_DICT),
            Map.entry("torch._utils._rebuild_tensor", Function.REBUILD_TENSOR),
            Map.entry("torch._utils._rebuild_tensor_v2", Function.REBUILD_TENSOR),
            Map.entry("torch._utils._rebuild_parameter", Function.REBUILD_PARAMETER),
            Map.entry("torch.DoubleStorage", SafetensorsType.F64),
            Map.entry("torch.FloatStorage", SafetensorsType.F32),
            Map.entry("torch.HalfStorage", SafetensorsType.F16),
            Map.entry("torch.BFloat16Storage", SafetensorsType.BF16),
            Map.entry("torch.LongStorage", SafetensorsType.I64),
            Map.entry("torch.IntStorage", SafetensorsType.I32),
            Map.entry("torch.CharStorage", SafetensorsType.I8),
            Map.entry("torch.ByteStorage", SafetensorsType.U8),
            Map.entry("torch.BoolStorage", SafetensorsType.BOOL));

    @Override
    public Object global(String module, String name) {
        return GLOBALS.get(module + "." + name);
    }

    @Override
    public Object call(Object function, Object[] arguments) throws Refusal {
        if (!(function instanceof Function known)) {
            throw new Refusal("calls what is no function");
        }
        return switch (known) {
            case ORDERED_DICT -> {
                require(arguments.length == 0, "makes an OrderedDict from arguments");
                yield new LinkedHashMap<>();
            }
            case REBUILD_TENSOR -> view(arguments);
            case REBUILD_PARAMETER -> {
                require(arguments.length >= 1 && arguments[0] instanceof View, "makes a parameter of no tensor");
                yield arguments[0];
            }
        };
    }

    /** Of (storage, offset, shape, strides, ...). */
    private static View view(Object[] arguments) throws Refusal {
        require(arguments.length >= 4 && arguments[0] instanceof Storage && arguments[1] instanceof Long,
                "makes a tensor without a storage and an offset");
        Storage storage = (Storage) arguments[0];
        long offset = (long) arguments[1];
        long[] shape = sizes(arguments[2]);
        long[] strides = sizes(arguments[3]);
        require(shape.length == strides.length, "has a tensor with more or fewer strides than dimensions");
        try {
            long count = 1;
            long end = Math.addExact(offset, 1);
            for (int i = 0; i < shape.length; i++) {
                count = Math.multiplyExact(count, shape[i]);
                end = Math.addExact(end, Math.multiplyExact(Math.max(0, shape[i] - 1), strides[i]));
            }
            require(offset >= 0 && (count == 0 || end <= storage.count), "has a tensor beyond the end of its storage "
                    + storage.key);
            require(count <= storage.count, "has a tensor with more elements than its storage " + storage.key);
        } catch (ArithmeticException e) {
            throw new Refusal("has a tensor of more than 2^63 elements");
        }
        long[] dense = StoredTensor.denseStrides(shape);
        boolean empty = Arrays.stream(shape).anyMatch(size -> size == 0);
        for (int i = 0; i < shape.length; i++) {
            // Where there is but one step, its length says nothing.
            strides[i] = empty || shape[i] == 1 ? dense[i] : strides[i];
        }
        return new View(storage, offset, shape, strides);
    }

    private static long[] sizes(Object tuple) throws Refusal {
        require(tuple instanceof Tuple, "has a tensor whose shape or strides are no tuple");
        Object[] items = ((Tuple) tuple).items();
        require(items.length <= MAX_DIMENSIONS, "has a tensor of more than " + MAX_DIMENSIONS + " dimensions");
        long[] sizes = new long[items.length];
        for (int i = 0; i < items.length; i++) {
            require(items[i] instanceof Long size && size >= 0,
                    "has a tensor with a size that is no whole number from 0");
            sizes[i] = (long) items[i];
        }
        return sizes;
    }

    /** Of ('storage', type, key, location, count), after which older versions have the view of another storage. */
    @Override
    public Object persistent(Object id) throws Refusal {
        Object[] items = id instanceof Tuple tuple ? tuple.items() : new Object[0];
        require(items.length >= 5 && "storage".equals(items[0]) && items[1] instanceof SafetensorsType
                && items[2] instanceof String && items[4] instanceof Long,
                "refers to what is no storage of a known type");
        require(items.length == 5 || items[5] == PickleReader.NONE,
                "has storages that are parts of others, as PyTorch once wrote; load and save it with a newer one");
        SafetensorsType type = (SafetensorsType) items[1];
        long count = (long) items[4];
        require(count >= 0 && count <= Long.MAX_VALUE / type.bytes(), "has a storage of " + count + " elements");
        return new Storage((String) items[2], type, count);
    }

    private static void require(boolean holds, String otherwise) throws Refusal {
        if (!holds) {
            throw new Refusal(otherwise);
        }
    }
}
