package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.TorchHost.Storage;
import io.mixt5.model.io.TorchHost.View;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/** What {@code torch.save} pickles for a model: a dict of tensors by name. */
final class TorchStateDict {
    private static final int SHOWN_KEYS = 5;
    /** Values that any pickle may make, and bytes of a file for each beyond: a tensor takes about 40. */
    private static final long FREE_VALUES = 250_000;
    private static final long BYTES_PER_VALUE = 32;

    private TorchStateDict() {
    }

    /** The next pickle of a file. */
    static Object unpickle(DataFile file, PickleInput in) {
        return PickleReader.read(file.path(), in, new TorchHost(), FREE_VALUES + file.size() / BYTES_PER_VALUE);
    }

    /**
     * The tensors of a pickled state dict, in its order; what else is in it is passed over.
     *
     * @param placeOf gives the place in the file of a storage's elements, all of which are there
     * @throws UserException if it is no dict or has no tensor
     */
    static Map<String, StoredTensor> tensors(DataFile file, Object pickled, ByteOrder order,
            ToLongFunction<Storage> placeOf) {
        if (!(pickled instanceof Map<?, ?> dict)) {
            throw new UserException(file.path() + " holds no state dict; save model.state_dict() with torch.save");
        }
        Map<String, StoredTensor> tensors = new LinkedHashMap<>();
        dict.forEach((name, value) -> {
            if (name instanceof String text && value instanceof View view) {
                Storage storage = view.storage();
                long start = placeOf.applyAsLong(storage) + view.offset() * storage.type().bytes();
                tensors.put(text, new StoredTensor(text, storage.type(), view.shape(), file, start, view.strides(),
                        order));
            }
        });
        if (tensors.isEmpty()) {
            String keys = dict.keySet().stream().limit(SHOWN_KEYS).map(String::valueOf)
                    .collect(Collectors.joining(", "));
            throw new UserException(file.path() + " has no tensor in its dict"
                    + (keys.isEmpty() ? "" : ", whose keys are " + keys + (dict.size() > SHOWN_KEYS ? ", ..." : ""))
                    + "; save model.state_dict() itself with torch.save");
        }
        return tensors;
    }
}
