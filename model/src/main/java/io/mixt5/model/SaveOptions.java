package io.mixt5.model;

import io.mixt5.engine.DType;
import io.mixt5.engine.UserException;
import java.util.Objects;

/**
 * How a model is written.
 *
 * @param naming under whose names
 * @param type of the weights on disk: F32, or F16 or BF16, which round them
 * @param maxShardBytes most bytes of weights in a file, at least 1; a larger model is spread over several
 */
public record SaveOptions(CheckpointNaming naming, DType type, long maxShardBytes) {
    /** This project's names, F32, and files of up to 5 GB, which every file system and the hub take. */
    public static final SaveOptions DEFAULT = new SaveOptions(CheckpointNaming.MIXT5, DType.F32, 5_000_000_000L);

    /** Checks that the parts are such. */
    public SaveOptions {
        Objects.requireNonNull(naming, "naming");
        if (type != DType.F32 && type != DType.F16 && type != DType.BF16) {
            throw new IllegalArgumentException("weights are written as F32, F16 or BF16, not as " + type);
        }
        if (maxShardBytes < 1) {
            throw new UserException("a file of weights holds at least 1 byte, not " + maxShardBytes
                    + "; give a larger size, as 5GB");
        }
    }

    /** These with other names. */
    public SaveOptions withNaming(CheckpointNaming other) {
        return new SaveOptions(other, type, maxShardBytes);
    }

    /** These with weights of another type. */
    public SaveOptions withType(DType other) {
        return new SaveOptions(naming, other, maxShardBytes);
    }

    /** These with files of another size. */
    public SaveOptions withMaxShardBytes(long other) {
        return new SaveOptions(naming, type, other);
    }
}
