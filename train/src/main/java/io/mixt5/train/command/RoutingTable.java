package io.mixt5.train.command;

import io.mixt5.model.TokenRouting;
import io.mixt5.model.TokenRouting.Choice;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Prints where mixtures sent tokens: a line to a token, a column to a mixture. */
final class RoutingTable {
    private static final Pattern BLOCK = Pattern.compile("block\\.(\\d+)\\.");
    private static final String GAP = "  ";

    private RoutingTable() {
    }

    /**
     * Prints the table; nothing where there is no mixture.
     *
     * @param pieces the tokens as text
     */
    static void print(PrintWriter out, String title, List<String> pieces, List<TokenRouting> layers) {
        if (layers.isEmpty()) {
            return;
        }
        List<List<String>> columns = new ArrayList<>();
        columns.add(column(title, pieces));
        for (TokenRouting layer : layers) {
            columns.add(column(heading(layer.layer()),
                    layer.tokens().stream().map(RoutingTable::cell).toList()));
        }
        List<Integer> widths = columns.stream()
                .map(column -> column.stream().mapToInt(String::length).max().orElse(0)).toList();
        for (int line = 0; line <= pieces.size(); line++) {
            StringBuilder text = new StringBuilder();
            for (int c = 0; c < columns.size(); c++) {
                String cell = columns.get(c).get(line);
                text.append(cell).append(" ".repeat(widths.get(c) - cell.length())).append(GAP);
            }
            out.println(text.toString().stripTrailing());
        }
    }

    private static List<String> column(String heading, List<String> cells) {
        List<String> column = new ArrayList<>(List.of(heading));
        column.addAll(cells);
        return column;
    }

    private static String heading(String layer) {
        Matcher block = BLOCK.matcher(layer);
        return block.find() ? "block " + block.group(1) : layer;
    }

    /** An expert and its probability for each choice; in brackets where it had no place. */
    private static String cell(List<Choice> choices) {
        return choices.stream().map(choice -> {
            String text = "%d %.2f".formatted(choice.expert(), choice.probability());
            return choice.dropped() ? "(" + text + " dropped)" : text;
        }).collect(Collectors.joining(" + "));
    }
}
