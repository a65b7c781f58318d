package io.mixt5.bench.report;

import java.util.function.ToDoubleFunction;

/**
 * The machine's limits as measured in the same run on one device: the least time that a call can take is the longer of
 * moving its bytes and computing its products (Williams et al., "Roofline", CACM 2009).
 *
 * @param bandwidth bytes a second of the copy or the triad, whichever moves more; 0 when neither was run
 * @param arithmetic floating-point operations a second of the best square product; 0 when none was run
 */
public record Roofline(double bandwidth, double arithmetic) {
    /** The limits of {@code device} in {@code results}. */
    public static Roofline of(Results results, String device) {
        return new Roofline(best(results, device, Measurement::bytes), best(results, device, Measurement::flops));
    }

    private static double best(Results results, String device, ToDoubleFunction<Measurement> work) {
        return results.of("Limits").filter(m -> m.param("device").equals(device))
                .mapToDouble(m -> work.applyAsDouble(m) / m.seconds()).max().orElse(0);
    }

    /** The least seconds that a call can take; NaN where that is not known. */
    public double least(Measurement m) {
        if (m.bytes() > 0 && bandwidth == 0 || m.flops() > 0 && arithmetic == 0 || m.bytes() + m.flops() == 0) {
            return Double.NaN;
        }
        return Math.max(m.bytes() == 0 ? 0 : m.bytes() / bandwidth, m.flops() == 0 ? 0 : m.flops() / arithmetic);
    }

    /** How near a call comes to its limit, 1 being there; NaN where that is not known. */
    public double share(Measurement m) {
        return least(m) / m.seconds();
    }
}
