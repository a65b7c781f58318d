package io.mixt5.bench.report;

import io.mixt5.bench.report.Measurement.Key;
import io.mixt5.bench.report.Section.Bars;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Sorts results into the sections of a report. */
final class Sections {
    /** What the names of other libraries' benchmarks begin with; one on a GPU tells more there than one on the CPU. */
    private static final List<String> PEERS = List.of("Cudnn", "Torch");
    /** Parameters that stand in a label only where the results hold several values of theirs. */
    private static final Set<String> COMMON = Set.of("device", "size");

    private final Results results;
    private final List<Results> earlier;
    private final Map<String, Roofline> limits = new HashMap<>();
    private final Map<String, Set<String>> values = new TreeMap<>();

    private Sections(Results results, List<Results> earlier) {
        this.results = results;
        this.earlier = earlier;
        for (Measurement m : results.all()) {
            limits.computeIfAbsent(m.param("device"), device -> Roofline.of(results, device));
            m.params().forEach((name, value) -> values.computeIfAbsent(name, n -> new TreeSet<>()).add(value));
        }
    }

    /**
     * The sections that {@code results} have something for.
     *
     * @param earlier results of the same benchmarks, oldest first
     */
    static List<Section> of(Results results, List<Results> earlier) {
        Sections sections = new Sections(results, earlier);
        return Stream.of(
                sections.section("The machine's limits",
                        "What everything else is held against: the copy and the triad move "
                                + "arrays that no cache holds, the products are square.",
                        Bars.SHARE, m -> null, "Limits"),
                sections.section("Whole steps", "A training step and greedy generation; relative to the dense model.",
                        Bars.RELATIVE, m -> sections.with(m, "experts", "0"), "TrainingStep", "Generation"),
                sections.section("The mixture against the dense layer",
                        "Relative to a dense layer of as many products: "
                                + "what is above 1 is the price of routing.",
                        Bars.RELATIVE, sections::denseLayer, "Layer"),
                sections.section("Matrix products", "The products of T5's layers, forward and for both gradients.",
                        Bars.SHARE, m -> null, "Gemm"),
                sections.section("Ops forward",
                        "Each op on its own case; the share counts the least bytes and products.",
                        Bars.SHARE, m -> null, "Forward"),
                sections.section("Ops backward", "All gradients of the op.", Bars.SHARE, m -> null, "Backward"),
                sections.others())
                .filter(Objects::nonNull).toList();
    }

    private Section section(String title, String note, Bars bars, Function<Measurement, Key> baseline,
            String... types) {
        List<Row> rows = new ArrayList<>();
        for (String type : types) {
            results.of(type).map(m -> row(m, baseline)).forEach(rows::add);
        }
        return rows.isEmpty() ? null : new Section(title, note, bars, rows);
    }

    /** Benchmarks that no other section shows, peers whose own op was not run among them. */
    private Section others() {
        Set<String> shown = Set.of("Limits", "TrainingStep", "Generation", "Layer", "Gemm", "Forward", "Backward");
        List<Row> rows = results.all().stream()
                .filter(m -> !shown.contains(type(m)) && own(m) == null)
                .map(m -> row(m, x -> null)).toList();
        return rows.isEmpty() ? null : new Section("Others", "Benchmarks of no other section.", Bars.SHARE, rows);
    }

    private Row row(Measurement m, Function<Measurement, Key> baseline) {
        Key key = baseline.apply(m);
        Measurement base = key == null ? null : results.find(key);
        Measurement peer = PEERS.stream().map(name -> results.find(new Key(name + m.benchmark(), m.params())))
                .filter(Objects::nonNull).findFirst().orElse(null);
        List<Measurement> before = earlier.stream().map(old -> old.find(m.key())).toList();
        return new Row(label(m), m, limits.get(m.param("device")).share(m),
                base == null ? Double.NaN : m.seconds() / base.seconds(),
                peer == null ? Double.NaN : peer.seconds() / m.seconds(),
                before.stream().map(old -> old == null ? Double.NaN : old.seconds()).toList(),
                before.reversed().stream().filter(Objects::nonNull).findFirst().map(old -> new Change(old, m))
                        .orElse(null));
    }

    /** The engine's benchmark beside which {@code peer} is shown; null when there is none, or it is no peer. */
    private Measurement own(Measurement peer) {
        return PEERS.stream().filter(peer.benchmark()::startsWith)
                .map(name -> results.find(new Key(peer.benchmark().substring(name.length()), peer.params())))
                .filter(Objects::nonNull).findFirst().orElse(null);
    }

    /** The same benchmark with another value of a parameter. */
    private Key with(Measurement m, String name, String value) {
        Map<String, String> params = new TreeMap<>(m.params());
        params.put(name, value);
        return new Key(m.benchmark(), params);
    }

    /** The dense layer that multiplies as much for each token: as wide as the token's experts together. */
    private Key denseLayer(Measurement m) {
        String layer = m.param("layer");
        boolean wide = layer.startsWith("top-2") || layer.equals("dense x2");
        return with(m, "layer", wide ? "dense x2" : "dense");
    }

    private static String type(Measurement m) {
        return m.benchmark().substring(0, m.benchmark().indexOf('.'));
    }

    /** The method and the parameters that tell it apart. */
    private String label(Measurement m) {
        String method = m.benchmark().substring(m.benchmark().indexOf('.') + 1);
        String params = m.params().entrySet().stream().filter(param -> !COMMON.contains(param.getKey())
                || values.get(param.getKey()).size() > 1)
                .sorted(Comparator.comparing(param -> COMMON.contains(param.getKey())))
                .map(param -> param.getValue().matches("\\d+")
                        ? param.getKey() + " " + param.getValue()
                        : param.getValue())
                .collect(Collectors.joining(", "));
        return method.equals("op") ? params : params.isEmpty() ? method : method + ": " + params;
    }

    /**
     * What the mixtures cost by their number of experts: for each pass, how many experts a token has and device, the time
     * relative to the dense layer of as many products.
     */
    static Map<String, Map<Integer, Double>> overheads(List<Section> sections) {
        Map<String, Map<Integer, Double>> overheads = new TreeMap<>();
        for (Section section : sections) {
            for (Row row : section.rows()) {
                String[] words = row.measurement().param("layer").split(" ");
                if (words.length == 3 && words[0].startsWith("top-") && !Double.isNaN(row.relative())) {
                    String curve = row.label().replaceFirst(": top-(\\d) of \\d+", ", top-$1");
                    overheads.computeIfAbsent(curve, c -> new TreeMap<>()).put(Integer.valueOf(words[2]),
                            row.relative());
                }
            }
        }
        return overheads;
    }
}
