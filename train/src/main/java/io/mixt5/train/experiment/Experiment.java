package io.mixt5.train.experiment;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.StrictJson;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * What a comparison is to run, as an {@code experiment.json} describes it: an optional {@code pretrain}ing, then each
 * of the {@code variants} with each of the {@code seeds}, then a {@code grid} of one variant.
 *
 * <p>Pre-training, variants and {@code shared} are objects of {@link io.mixt5.train.config.TrainConfig}'s keys; the
 * first two are laid over the third: objects within are merged key by key, other values replace, and {@code null} takes a key
 * away. A variant starts from the model that pre-training left unless it names another. Beside those keys a variant may
 * have {@code "train": false}, to be scored as it is, once, whatever the seeds.
 *
 * <p>The grid crosses {@code num_moe_layers} (a key of {@code moe_config}) with {@code noise_lambda} over the variant
 * that {@code of} names. A point that says the same as that variant is not run a second time.
 */
public final class Experiment {
    /** The directory name of pre-training, which no variant may have. */
    static final String PRETRAINING = "pretrain";

    private static final String TRAIN = "train";
    private static final String MOE_CONFIG = "moe_config";
    private static final String NUM_MOE_LAYERS = "num_moe_layers";
    private static final String NOISE_LAMBDA = "noise_lambda";
    /** Keys that the comparison itself sets. */
    private static final List<String> RESERVED = List.of("save_dir", "output_dir", "seed", "resume");

    private final Path file;
    private final Keys keys;
    private final List<Variant> variants = new ArrayList<>();
    private final Variant pretraining;

    /** The file's form. */
    static final class Keys {
        /** Where all runs and the tables go, from the working directory. */
        public Path saveDir;
        /** Whether trained variants keep their models and checkpoints when they are done. */
        public boolean keepModels = true;
        /** One run of every variant each. */
        public List<Long> seeds;
        /** Of all runs. */
        public ObjectNode shared;
        /** Of the run whose model the variants start from. */
        public ObjectNode pretrain;
        /** By name. */
        public LinkedHashMap<String, ObjectNode> variants;
        /** More variants, by two settings. */
        public Grid grid;
    }

    /** Part of the file's form. */
    static final class Grid {
        /** The variant that is varied. */
        public String of;
        /** Values of {@code moe_config.num_moe_layers}. */
        public List<Integer> numMoeLayers;
        /** Values of {@code noise_lambda}. */
        public List<Double> noiseLambda;
    }

    /**
     * Something to be run with each seed.
     *
     * @param name as the tables show it
     * @param directory its directory within the comparison's
     * @param settings keys of a training run, shared ones included
     * @param trains whether it is trained, not only scored
     * @param named whether the file names it, rather than the grid
     */
    record Variant(String name, String directory, ObjectNode settings, boolean trains, boolean named) {
    }

    private Experiment(Path file) {
        this.file = file;
        keys = StrictJson.read(file, Keys.class);
        check();
        pretraining = keys.pretrain == null ? null : variant(PRETRAINING, merged(keys.shared, keys.pretrain), true);
        keys.variants.forEach((name, settings) -> variants.add(variant(name, merged(keys.shared, settings), true)));
        if (keys.grid != null) {
            addGrid();
        }
        Set<String> directories = new HashSet<>(Set.of(PRETRAINING));
        for (Variant variant : variants) {
            if (!directories.add(variant.directory)) {
                throw new UserException("variant '" + variant.name + "' in " + file + " would share the directory "
                        + variant.directory + " with another; give it another name");
            }
        }
    }

    /**
     * Reads {@code file}.
     *
     * @throws UserException if anything in it is wrong but the settings of runs, which only the runs themselves check
     */
    public static Experiment read(Path file) {
        return new Experiment(file);
    }

    private void check() {
        needed("save_dir", keys.saveDir);
        needed("seeds", keys.seeds);
        needed("shared", keys.shared);
        needed("variants", keys.variants);
        if (keys.seeds.isEmpty() || Set.copyOf(keys.seeds).size() < keys.seeds.size()) {
            throw new UserException("key 'seeds' in " + file + " must be different numbers, found " + keys.seeds);
        }
        if (keys.variants.isEmpty()) {
            throw new UserException("key 'variants' in " + file + " must name at least one");
        }
        refuseReserved("shared", keys.shared);
        if (keys.pretrain != null) {
            refuseReserved("pretrain", keys.pretrain);
            refuse("pretrain", keys.pretrain, TRAIN);
        }
        refuse("shared", keys.shared, TRAIN);
        keys.variants.forEach((name, settings) -> refuseReserved("variants." + name, settings));
    }

    private void needed(String key, Object value) {
        if (value == null) {
            throw new UserException("key '" + key + "' is missing in " + file);
        }
    }

    private void refuseReserved(String where, ObjectNode settings) {
        RESERVED.forEach(key -> refuse(where, settings, key));
    }

    private void refuse(String where, ObjectNode settings, String key) {
        if (settings.has(key)) {
            throw new UserException("key '" + where + "." + key + "' in " + file
                    + " has no place there, as the comparison decides it: remove it");
        }
    }

    private Variant variant(String name, ObjectNode settings, boolean named) {
        JsonNode train = settings.remove(TRAIN);
        if (train != null && !train.isBoolean()) {
            throw new UserException("key 'variants." + name + ".train' in " + file + " must be true or false, found "
                    + train);
        }
        String directory = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._=-]+", "-");
        return new Variant(name, directory, settings, train == null || train.booleanValue(), named);
    }

    private void addGrid() {
        Grid grid = keys.grid;
        needed("grid.of", grid.of);
        needed("grid.num_moe_layers", grid.numMoeLayers);
        needed("grid.noise_lambda", grid.noiseLambda);
        Variant base = variants.stream().filter(variant -> variant.name.equals(grid.of)).findFirst().orElseThrow(
                () -> new UserException("key 'grid.of' in " + file + " must be the name of a variant, found '" + grid.of
                        + "'"));
        if (!base.trains || !base.settings.path("enable_moe").asBoolean()
                || !base.settings.path(MOE_CONFIG).has(NUM_MOE_LAYERS)) {
            throw new UserException("variant '" + grid.of + "' in " + file + " must have enable_moe and "
                    + "moe_config.num_moe_layers and be trained, as the grid varies them");
        }
        for (int layers : grid.numMoeLayers) {
            for (double lambda : grid.noiseLambda) {
                ObjectNode settings = base.settings.deepCopy();
                settings.withObjectProperty(MOE_CONFIG).put(NUM_MOE_LAYERS, layers);
                settings.put(NOISE_LAMBDA, lambda);
                if (!Settings.same(settings, base.settings)) {
                    String name = NUM_MOE_LAYERS + "=" + layers + " " + NOISE_LAMBDA + "=" + lambda;
                    variants.add(variant(name, settings, false));
                }
            }
        }
    }

    /** {@code over} laid over {@code under}: objects key by key, everything else replaced. Neither is changed. */
    static ObjectNode merged(ObjectNode under, ObjectNode over) {
        ObjectNode result = under.deepCopy();
        for (Map.Entry<String, JsonNode> entry : over.properties()) {
            JsonNode value = entry.getValue();
            if (value instanceof ObjectNode object && result.get(entry.getKey()) instanceof ObjectNode below) {
                result.set(entry.getKey(), merged(below, object));
            } else if (value.isNull()) {
                result.remove(entry.getKey());
            } else {
                result.set(entry.getKey(), value.deepCopy());
            }
        }
        return result;
    }

    /** The file, from whose directory the runs' inputs are taken. */
    public Path file() {
        return file;
    }

    /** Where all runs and the tables go. */
    public Path saveDir() {
        return keys.saveDir;
    }

    boolean keepModels() {
        return keys.keepModels;
    }

    List<Long> seeds() {
        return keys.seeds;
    }

    /** Null where there is none. */
    Variant pretraining() {
        return pretraining;
    }

    /** The file's, in its order, then the grid's. */
    List<Variant> variants() {
        return variants;
    }
}
