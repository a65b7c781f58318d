package io.mixt5.model;

import io.mixt5.engine.Tape;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Add;
import io.mixt5.engine.op.Routing;
import io.mixt5.engine.op.Scale;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the mixtures of one pass did, in the order of the layers: for their losses and for statistics. */
public final class RoutingTrace {
    private final List<Tensor> balances = new ArrayList<>();
    private final List<Tensor> zs = new ArrayList<>();
    /** The routings whose figures are still on the device, by their layers' names. */
    private final Map<String, Routing> routings = new LinkedHashMap<>();
    private final List<RoutingFigures> figures = new ArrayList<>();

    /**
     * Notes what layer {@code name} did. While recording, the figures are read from the device only when somebody asks;
     * otherwise at once, as the tensors do not live on.
     */
    void add(Tape tape, String name, Routing routing) {
        balances.add(tape.keep(routing.balance()));
        zs.add(tape.keep(routing.z()));
        if (tape.recording()) {
            routings.put(name, routing);
        } else {
            figures.addAll(RoutingFigures.read(Map.of(name, routing)));
        }
    }

    /** One entry for each mixture, encoder first, read at once. Call it before the pass's scope closes. */
    public List<RoutingFigures> figures() {
        return routings.isEmpty() ? List.copyOf(figures) : RoutingFigures.read(routings);
    }

    /** loss + mean over the layers of (alpha * balance + beta * z). */
    Tensor addLosses(Tape tape, Tensor loss, double alpha, double beta) {
        return add(tape, add(tape, loss, balances, alpha), zs, beta);
    }

    private static Tensor add(Tape tape, Tensor loss, List<Tensor> terms, double factor) {
        Tensor sum = loss;
        if (factor != 0) {
            for (Tensor term : terms) {
                sum = Add.apply(tape, sum, Scale.apply(tape, term, (float) (factor / terms.size())));
            }
        }
        return sum;
    }
}
