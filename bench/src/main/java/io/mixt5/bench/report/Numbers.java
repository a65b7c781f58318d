package io.mixt5.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Numbers as reports print them: three digits that count. */
final class Numbers {
    private Numbers() {
    }

    /** Three digits, or more in front of the point; empty for NaN. */
    static String text(double value) {
        if (Double.isNaN(value)) {
            return "";
        }
        double size = Math.abs(value);
        int decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3;
        return String.format(Locale.ROOT, "%,." + decimals + "f", value);
    }

    /** Seconds in the unit that suits them. */
    static String seconds(double seconds) {
        if (Double.isNaN(seconds)) {
            return "";
        }
        return seconds >= 1
                ? text(seconds) + " s"
                : seconds >= 1e-3
                        ? text(seconds * 1e3) + " ms"
                        : text(seconds * 1e6) + " µs";
    }

    /** A time and its error. */
    static String time(Measurement m) {
        String time = seconds(m.seconds());
        return Double.isNaN(m.error()) ? time : time + " ± " + seconds(m.error());
    }

    /** What a call does a second: GFLOP/s where it has products, else GB/s, and tokens where it has them. */
    static String rate(Measurement m) {
        List<String> rates = new ArrayList<>();
        if (m.flops() > 0) {
            rates.add(text(m.flops() / m.seconds() * 1e-9) + " GFLOP/s");
        } else if (m.bytes() > 0) {
            rates.add(text(m.bytes() / m.seconds() * 1e-9) + " GB/s");
        }
        if (m.tokens() > 0) {
            rates.add(text(m.tokens() / m.seconds()) + " tokens/s");
        }
        return String.join(", ", rates);
    }

    /** A share in percent; empty for NaN. */
    static String percent(double share) {
        return Double.isNaN(share) ? "" : String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }

    /** A ratio; empty for NaN. */
    static String times(double ratio) {
        return Double.isNaN(ratio) ? "" : text(ratio) + " x";
    }
}
