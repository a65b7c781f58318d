package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import io.mixt5.model.io.ZipDirectory.Entry;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * PyTorch's zip format: {@code <name>/data.pkl} pickles the state dict, {@code <name>/data/<key>} are the storages'
 * elements, {@code <name>/byteorder} says {@code little} or {@code big} (PyTorch, {@code caffe2/serialize/inline_container.h}).
 */
final class TorchZip {
    private static final String PICKLE = "/data.pkl";
    private static final int BYTE_ORDER_BYTES = 6;

    private final DataFile file;
    private final ZipDirectory zip;
    /** The one directory of the archive. */
    private final String root;

    private TorchZip(DataFile file, ZipDirectory zip, String root) {
        this.file = file;
        this.zip = zip;
        this.root = root;
    }

    /** The tensors in {@code file}. */
    static Map<String, StoredTensor> read(DataFile file) {
        ZipDirectory zip = ZipDirectory.read(file);
        List<String> pickles = zip.names().stream()
                .filter(name -> name.endsWith(PICKLE) && name.indexOf('/') == name.length() - PICKLE.length()).toList();
        if (pickles.size() != 1) {
            throw new UserException(file.path() + " is no file of PyTorch: its zip archive has " + pickles.size()
                    + " entries data.pkl in a directory, not one");
        }
        String pickle = pickles.getFirst();
        return new TorchZip(file, zip, pickle.substring(0, pickle.length() - PICKLE.length() + 1)).read(pickle);
    }

    private Map<String, StoredTensor> read(String pickle) {
        Entry entry = zip.require(pickle);
        Object dict = TorchStateDict.unpickle(file, new PickleInput(file, entry.start(), entry.end()));
        return TorchStateDict.tensors(file, dict, order(), storage -> {
            Entry data = zip.require(root + "data/" + storage.key());
            if (data.bytes() != storage.bytes()) {
                throw new UserException(file.path() + ": its entry " + data.name() + " has " + data.bytes()
                        + " bytes, but its pickle gives it " + storage.bytes());
            }
            return data.start();
        });
    }

    private ByteOrder order() {
        Path path = file.path();
        return zip.find(root + "byteorder").map(entry -> {
            int bytes = (int) Math.min(BYTE_ORDER_BYTES + 1, entry.bytes());
            String text = StandardCharsets.ISO_8859_1.decode(file.read(entry.start(), bytes)).toString();
            return switch (text) {
                case "little" -> ByteOrder.LITTLE_ENDIAN;
                case "big" -> ByteOrder.BIG_ENDIAN;
                default -> throw new UserException(
                        path + ": its entry " + entry.name() + " says neither little nor big");
            };
        }).orElse(ByteOrder.LITTLE_ENDIAN);
    }
}
