package io.mixt5.train.quickstart;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * A made-up person's life in a few sentences, and questions about it.
 *
 * @param name the person's name
 * @param context the sentences
 * @param questions one question for each fact in the context, in the order of the facts
 */
record Biography(String name, String context, List<Question> questions) {
    private static final List<String> WOMEN = List.of("Alice", "Anna", "Clara", "Dora", "Ellen", "Emma", "Flora",
            "Grace", "Helen", "Ida", "Jane", "Laura", "Lucy", "Maria", "Nora", "Olga", "Paula", "Rosa", "Sarah",
            "Vera");
    private static final List<String> MEN = List.of("Adam", "Albert", "Bruno", "Carl", "David", "Emil", "Frank",
            "George", "Henry", "Hugo", "Ivan", "Jack", "Leo", "Martin", "Oscar", "Peter", "Robert", "Simon", "Thomas",
            "Victor");
    private static final List<String> SURNAMES = List.of("Adler", "Bach", "Bauer", "Berg", "Brandt", "Carlsen", "Dahl",
            "Eder", "Fischer", "Franke", "Gruber", "Hansen", "Hartmann", "Holm", "Jansen", "Keller", "Koch", "Lang",
            "Larsen", "Lindgren", "Maier", "Moser", "Nielsen", "Nordberg", "Olsen", "Pedersen", "Quist", "Richter",
            "Roth", "Sander", "Steiner", "Strand", "Thorsen", "Ullmann", "Vogel", "Wagner", "Weber", "Winkler", "Wolf",
            "Ziegler");

    /** How many different names there are. */
    static final int NAMES = (WOMEN.size() + MEN.size()) * SURNAMES.size();

    /**
     * A question with its answer.
     *
     * @param text the question
     * @param answer the answer, a stretch of the context
     * @param start where the answer begins in the context, in characters
     */
    record Question(String text, String answer, int start) {
    }

    /** Draws a person with {@code facts} facts (2 to 13), at least two of them with answers of one type. */
    static Biography draw(Random random, int facts) {
        boolean woman = random.nextBoolean();
        String first = pick(random, woman ? WOMEN : MEN);
        String name = first + " " + pick(random, SURNAMES);
        StringBuilder context = new StringBuilder();
        List<Question> questions = new ArrayList<>();
        Set<String> used = new HashSet<>();
        for (Topic topic : topics(random, facts)) {
            String person = context.isEmpty() ? name : random.nextInt(3) == 0 ? first : woman ? "she" : "he";
            String possessive = context.isEmpty() ? name + "'s" : woman ? "her" : "his";
            String statement = pick(random, topic.statements())
                    .replace("{S}", capitalized(person))
                    .replace("{s}", person)
                    .replace("{P}", capitalized(possessive))
                    .replace("{p}", possessive);
            String answer = topic.answer().apply(random);
            while (!used.add(answer)) {
                answer = topic.answer().apply(random);
            }
            context.append(context.isEmpty() ? "" : " ");
            int start = context.length() + statement.indexOf("{v}");
            context.append(statement.replace("{v}", answer));
            String question = pick(random, topic.questions()).replace("{n}", random.nextBoolean() ? name : first);
            questions.add(new Question(question, answer, start));
        }
        return new Biography(name, context.toString(), questions);
    }

    /** {@code count} different topics in random order, two of one family among them. */
    private static List<Topic> topics(Random random, int count) {
        List<Topic> shuffled = new ArrayList<>(Topic.ALL);
        do {
            Collections.shuffle(shuffled, random);
        } while (shuffled.subList(0, count).stream().map(Topic::family).distinct().count() == count);
        return shuffled.subList(0, count);
    }

    private static String pick(Random random, List<String> words) {
        return words.get(random.nextInt(words.size()));
    }

    private static String capitalized(String word) {
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }
}
