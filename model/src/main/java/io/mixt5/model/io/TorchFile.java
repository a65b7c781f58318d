package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A state dict that PyTorch's {@code torch.save} wrote, as {@code pytorch_model.bin}: a zip archive (since 1.6) or the
 * older sequence of pickles. Nothing that the file asks for is run ({@link PickleReader}).
 */
final class TorchFile implements TensorSource {
    private static final int TAR_MAGIC_AT = 257;
    private static final String TAR_MAGIC = "ustar";
    private static final int FIRST_BYTES = TAR_MAGIC_AT + TAR_MAGIC.length();

    private final DataFile file;
    private final Map<String, StoredTensor> tensors;

    private TorchFile(DataFile file, Map<String, StoredTensor> tensors) {
        this.file = file;
        this.tensors = tensors;
    }

    /**
     * Opens {@code path}.
     *
     * @throws UserException if it cannot be read, is damaged, or asks for anything but tensors
     */
    static TorchFile open(Path path) {
        DataFile file = DataFile.open(path);
        try {
            return new TorchFile(file, read(file));
        } catch (RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static Map<String, StoredTensor> read(DataFile file) {
        ByteBuffer first = file.read(0, (int) Math.min(FIRST_BYTES, file.size()));
        String start = StandardCharsets.ISO_8859_1.decode(first).toString();
        if (start.startsWith("PK\3\4")) {
            return TorchZip.read(file);
        }
        if (start.startsWith("\u0080")) {
            return TorchLegacy.read(file);
        }
        if (start.startsWith(TAR_MAGIC, TAR_MAGIC_AT)) {
            throw new UserException(
                    file.path() + " is in PyTorch's oldest format, a tar archive, which is not read here; "
                            + "load it with PyTorch and save it again");
        }
        throw new UserException(file.path() + " is no file of PyTorch: it is neither a zip archive nor a pickle");
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public List<String> names() {
        return List.copyOf(tensors.keySet());
    }

    @Override
    public Optional<StoredTensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public long bytes() {
        return file.size();
    }

    @Override
    public void close() {
        file.close();
    }
}
