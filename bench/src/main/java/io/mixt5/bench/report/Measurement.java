package io.mixt5.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.mixt5.engine.UserException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One benchmark with one set of parameters, as JMH has timed it.
 *
 * @param benchmark class and method, without the package
 * @param params parameters by name, in order
 * @param samples seconds a call, one number an iteration (or, of modes that keep a distribution, its percentiles), sorted
 * @param error half the width of JMH's confidence interval (99.9 %) of the mean, in seconds; NaN of a single sample
 * @param bytes that a call moves at least; 0 where that does not count
 * @param flops of a call's products; 0 where there are none
 * @param tokens of a call; 0 where the benchmark has no such thing
 */
public record Measurement(String benchmark, Map<String, String> params, List<Double> samples, double error, long bytes,
        long flops, long tokens) {
    private static final Map<String, Double> UNITS = Map.of("s/op", 1.0, "ms/op", 1e-3, "us/op", 1e-6, "ns/op", 1e-9);
    private static final List<String> PERCENTILES = List.of("0.0", "50.0", "90.0", "100.0");

    /** Which benchmark this is, for finding the same one in other results. */
    public record Key(String benchmark, Map<String, String> params) {
        @Override
        public String toString() {
            return params.isEmpty() ? benchmark : benchmark + " " + params.toString().replaceAll("[{}]", "");
        }
    }

    /** Reads an entry of JMH's JSON. */
    static Measurement read(JsonNode entry) {
        JsonNode primary = entry.path("primaryMetric");
        String name = entry.path("benchmark").asText();
        String unit = primary.path("scoreUnit").asText();
        Double scale = UNITS.get(unit);
        if (scale == null) {
            throw new UserException(name + " was measured in " + (unit.isEmpty() ? "no unit" : unit)
                    + ", which is no time a call; run it with -bm avgt");
        }
        List<Double> samples = new ArrayList<>();
        for (JsonNode fork : primary.path("rawData")) {
            fork.forEach(sample -> samples.add(sample.asDouble() * scale));
        }
        if (samples.isEmpty()) {
            PERCENTILES.forEach(at -> samples.add(primary.path("scorePercentiles").path(at).asDouble() * scale));
        }
        Collections.sort(samples);
        Map<String, String> params = new TreeMap<>();
        entry.path("params").properties().forEach(param -> params.put(param.getKey(), param.getValue().asText()));
        JsonNode work = entry.path("secondaryMetrics");
        JsonNode error = primary.path("scoreError");
        int method = name.lastIndexOf('.');
        return new Measurement(name.substring(name.lastIndexOf('.', method - 1) + 1), params, List.copyOf(samples),
                error.isNumber() ? error.asDouble() * scale : Double.NaN, count(work, "bytes"), count(work, "flops"),
                count(work, "tokens"));
    }

    /** A counter's number, which is the same in every iteration. */
    private static long count(JsonNode work, String counter) {
        return work.path(counter).path("rawData").path(0).path(0).asLong();
    }

    /** The key by which it is found. */
    public Key key() {
        return new Key(benchmark, params);
    }

    /** A parameter; empty where the benchmark has none of that name. */
    public String param(String name) {
        return params.getOrDefault(name, "");
    }

    /** The median of the samples, in seconds. */
    public double seconds() {
        int n = samples.size();
        return (samples.get((n - 1) / 2) + samples.get(n / 2)) / 2;
    }

    /** The shortest sample. */
    public double fastest() {
        return samples.getFirst();
    }

    /** The longest sample. */
    public double slowest() {
        return samples.getLast();
    }
}
