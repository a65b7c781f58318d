package io.mixt5.bench.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.UserFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** One file of results, in the order of the file. */
public final class Results {
    private final String name;
    private final String machine;
    private final Map<Measurement.Key, Measurement> measurements = new LinkedHashMap<>();

    private Results(String name, String machine) {
        this.name = name;
        this.machine = machine;
    }

    /**
     * Reads what {@code -rf json} made JMH write.
     *
     * @throws UserException when the file cannot be read or is something else
     */
    public static Results read(Path file) {
        UserFiles.requireFile(file);
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(file.toFile());
        } catch (JsonProcessingException e) {
            throw new UserException(file + " is no JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            throw UserFiles.cannotRead(file, e);
        }
        if (!root.isArray() || root.isEmpty() || !root.get(0).has("primaryMetric")) {
            throw new UserException(file + " holds no results of JMH; write them with -rf json -rff FILE");
        }
        JsonNode first = root.get(0);
        Results results = new Results(file.getFileName().toString(), first.path("vmName").asText() + " "
                + first.path("vmVersion").asText() + ", JMH " + first.path("jmhVersion").asText());
        for (JsonNode entry : root) {
            Measurement measurement = Measurement.read(entry);
            results.measurements.put(measurement.key(), measurement);
        }
        return results;
    }

    /** The file's name. */
    public String name() {
        return name;
    }

    /** What JVM ran it. */
    public String machine() {
        return machine;
    }

    /** All of them. */
    public List<Measurement> all() {
        return new ArrayList<>(measurements.values());
    }

    /** Those of a class of benchmarks. */
    public Stream<Measurement> of(String type) {
        return measurements.values().stream().filter(m -> m.benchmark().startsWith(type + "."));
    }

    /** The one with that key, or null. */
    public Measurement find(Measurement.Key key) {
        return measurements.get(key);
    }
}
