package io.mixt5.model;

import io.mixt5.engine.op.Routing;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a mixture sent each token.
 *
 * @param layer its name, as its parameters' prefix
 * @param tokens one entry to a token, in their order
 */
public record TokenRouting(String layer, List<List<Choice>> tokens) {
    /**
     * An expert of a token, the first choice first.
     *
     * @param expert its number
     * @param probability what the router gave it
     * @param dropped whether it had no place, so that it added nothing
     */
    public record Choice(int expert, double probability, boolean dropped) {
    }

    static TokenRouting read(String layer, Routing routing) {
        int[] experts = routing.experts().toInts();
        int[] slots = routing.slots().toInts();
        float[] probabilities = routing.probabilities().toFloats();
        int k = routing.topK();
        List<List<Choice>> tokens = new ArrayList<>();
        for (int token = 0; token < experts.length / k; token++) {
            List<Choice> choices = new ArrayList<>();
            for (int entry = token * k; entry < (token + 1) * k; entry++) {
                double probability = probabilities[token * routing.expertCount() + experts[entry]];
                choices.add(new Choice(experts[entry], probability, slots[entry] < 0));
            }
            tokens.add(choices);
        }
        return new TokenRouting(layer, tokens);
    }
}
