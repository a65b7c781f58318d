package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.TorchHost.Storage;
import java.math.BigInteger;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * PyTorch's format before 1.6, still written on request: five pickles (magic number, protocol, the writer's system,
 * state dict, keys of the storages), then the storages in the order of the keys, each its count of elements in 8 bytes and
 * the elements (PyTorch, {@code torch/serialization.py}, {@code _legacy_load}).
 */
final class TorchLegacy {
    private static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
    private static final Object PROTOCOL = 1001L;

    private final DataFile file;
    private final PickleInput in;

    private TorchLegacy(DataFile file) {
        this.file = file;
        this.in = new PickleInput(file, 0, file.size());
    }

    /** The tensors in {@code file}. */
    static Map<String, StoredTensor> read(DataFile file) {
        return new TorchLegacy(file).read();
    }

    private Map<String, StoredTensor> read() {
        if (!MAGIC.equals(next()) || !PROTOCOL.equals(next())) {
            throw new UserException(file.path() + " is a pickle, but not of PyTorch's torch.save");
        }
        ByteOrder order = next() instanceof Map<?, ?> system && Boolean.FALSE.equals(system.get("little_endian"))
                ? ByteOrder.BIG_ENDIAN
                : ByteOrder.LITTLE_ENDIAN;
        Object dict = next();
        List<?> keys = next() instanceof List<?> list ? list : List.of();
        // The count of elements and their type are known from the tensors alone, so these come first.
        Map<String, Storage> storages = new LinkedHashMap<>();
        TorchStateDict.tensors(file, dict, order, storage -> {
            Storage other = storages.putIfAbsent(storage.key(), storage);
            if (other != null && !other.equals(storage)) {
                throw new UserException(file.path() + ": its storage " + storage.key() + " has two types or sizes");
            }
            return 0;
        });
        Map<String, Long> places = places(keys, storages, order);
        return TorchStateDict.tensors(file, dict, order, storage -> places.get(storage.key()));
    }

    private Object next() {
        return TorchStateDict.unpickle(file, in);
    }

    private Map<String, Long> places(List<?> keys, Map<String, Storage> storages, ByteOrder order) {
        Map<String, Long> places = new HashMap<>();
        long at = in.position();
        for (Object key : keys) {
            Storage storage = key instanceof String text ? storages.get(text) : null;
            if (storage == null) {
                throw new UserException(
                        file.path() + " lists a storage that none of its tensors uses, so that its size "
                                + "is unknown; save model.state_dict() itself with torch.save");
            }
            require(at <= file.size() - Long.BYTES);
            long count = file.read(at, Long.BYTES).order(order).getLong();
            at += Long.BYTES;
            if (count != storage.count()) {
                throw new UserException(file.path() + ": its storage " + key + " has " + count
                        + " elements, but its tensors need " + storage.count());
            }
            require(storage.bytes() <= file.size() - at);
            if (places.put(storage.key(), at) != null) {
                throw new UserException(file.path() + " lists its storage " + key + " twice");
            }
            at += storage.bytes();
        }
        if (places.size() < storages.size()) {
            throw new UserException(file.path() + " does not list all storages that its tensors use");
        }
        return places;
    }

    private void require(boolean holds) {
        if (!holds) {
            throw new UserException(file.path() + " ends in its storages, it was cut");
        }
    }
}
