package io.mixt5.train.quickstart;

import java.util.List;
import java.util.Random;
import java.util.function.Function;

/**
 * One kind of fact about a person: how it is stated, how it is asked for, and what the answer may be.
 *
 * <p>In a statement {@code {s}} stands for the person, {@code {S}} for the person at the sentence's beginning,
 * {@code {p}} and {@code {P}} for the possessive pronoun and {@code {v}} for the answer; in a question {@code {n}}
 * stands for the person's name.
 *
 * @param family topics of one family have answers of one type, so that only the wording tells them apart
 * @param statements sentences that state the fact, each with one {@code {v}}
 * @param questions questions that ask for it
 * @param answer draws an answer
 */
record Topic(String family, List<String> statements, List<String> questions, Function<Random, String> answer) {
    private static final List<String> PLACE_BEGINNINGS = List.of("Amber", "Clear", "East", "Fair", "Gold", "High",
            "Iron", "Maple", "North", "River", "Stone", "Winter");
    private static final List<
            String> PLACE_ENDINGS = List.of("Bridge", "Castle", "Dale", "Field", "Ford", "Gate", "Harbour", "Hill");
    private static final List<
            String> COLOURS = List.of("black", "blue", "brown", "green", "grey", "red", "white", "yellow");
    private static final List<
            String> ANIMALS = List.of("cat", "cow", "dog", "donkey", "goat", "horse", "rabbit", "sheep");
    private static final List<
            String> VEHICLES = List.of("bicycle", "boat", "bus", "cart", "lorry", "taxi", "tractor", "van");
    private static final List<String> TRADES = List.of("baker", "barber", "carpenter", "doctor", "farmer", "lawyer",
            "nurse", "painter", "sailor", "teacher");
    private static final List<
            String> DISHES = List.of("bread", "cheese", "fish", "noodles", "pancakes", "rice", "soup", "stew");
    private static final List<
            String> DRINKS = List.of("cocoa", "coffee", "juice", "lemonade", "milk", "tea", "water", "wine");
    private static final List<
            String> INSTRUMENTS = List.of("banjo", "cello", "drums", "flute", "guitar", "harp", "piano", "violin");
    private static final List<String> THINGS = List.of("bells", "books", "bottles", "buttons", "clocks", "coins",
            "hats", "keys", "maps", "stamps");
    private static final List<String> AGES = List.of("fast", "new", "old", "small");
    private static final List<String> TASTES = List.of("fried", "salty", "spicy", "sweet");
    private static final List<String> WARMTHS = List.of("cold", "hot", "iced", "warm");
    private static final List<String> MATERIALS = List.of("broken", "glass", "rare", "wooden");
    private static final List<
            String> FEARS = List.of("bats", "bees", "ghosts", "heights", "mice", "spiders", "storms", "wolves");
    private static final List<String> NUMBERS = List.of("two", "three", "four", "five", "six", "seven");

    /** All topics, those of one family side by side. */
    static final List<Topic> ALL = List.of(
            new Topic("place", List.of(
                    "{S} was born in {v}.",
                    "{S} comes from {v}.",
                    "{P} birthplace is {v}.",
                    "{P} life began in {v}."),
                    List.of(
                            "Where was {n} born?",
                            "Where does {n} come from?",
                            "What is the birthplace of {n}?",
                            "In which town did the life of {n} begin?"),
                    joined(PLACE_BEGINNINGS, " ", PLACE_ENDINGS)),
            new Topic("place", List.of(
                    "{S} lives in {v}.",
                    "Today {s} has a house in {v}.",
                    "{P} home is in {v} now.",
                    "{S} has moved to {v}."),
                    List.of(
                            "Where does {n} live?",
                            "Where is the home of {n}?",
                            "In which town does {n} have a house?",
                            "Where has {n} moved to?"),
                    joined(PLACE_BEGINNINGS, " ", PLACE_ENDINGS)),
            new Topic("year", List.of(
                    "{P} year of birth was {v}.",
                    "{S} was born in the year {v}.",
                    "{S} came into the world in {v}."),
                    List.of(
                            "When was {n} born?",
                            "In which year did {n} come into the world?",
                            "What was the year of birth of {n}?"),
                    random -> String.valueOf(1950 + random.nextInt(40))),
            new Topic("year", List.of(
                    "In {v} {s} finished school.",
                    "{S} left school in {v}.",
                    "{P} school days ended in {v}."),
                    List.of(
                            "When did {n} finish school?",
                            "In which year did {n} leave school?",
                            "When did the school days of {n} end?"),
                    random -> String.valueOf(1950 + random.nextInt(40))),
            new Topic("coloured", List.of(
                    "{S} keeps a {v} in the garden.",
                    "{P} pet is a {v}.",
                    "{S} looks after a {v}."),
                    List.of(
                            "Which animal does {n} keep?",
                            "What pet does {n} have?",
                            "What does {n} look after?"),
                    joined(COLOURS, " ", ANIMALS)),
            new Topic("coloured", List.of(
                    "{S} goes to town by {v}.",
                    "{S} travels in a {v}.",
                    "{S} has bought a {v}."),
                    List.of(
                            "How does {n} go to town?",
                            "What does {n} travel in?",
                            "What has {n} bought?"),
                    joined(AGES, " ", VEHICLES)),
            new Topic("food", List.of(
                    "{S} likes to eat {v}.",
                    "For lunch {s} has {v}.",
                    "{P} favourite dish is {v}."),
                    List.of(
                            "What does {n} like to eat?",
                            "What does {n} have for lunch?",
                            "What is the favourite dish of {n}?"),
                    joined(TASTES, " ", DISHES)),
            new Topic("food", List.of(
                    "{S} drinks {v} every morning.",
                    "{P} favourite drink is {v}.",
                    "When thirsty {s} asks for {v}."),
                    List.of(
                            "What does {n} drink every morning?",
                            "What is the favourite drink of {n}?",
                            "What does {n} ask for when thirsty?"),
                    joined(WARMTHS, " ", DRINKS)),
            new Topic("thing", List.of(
                    "{S} collects {v}.",
                    "{P} shelves are full of {v}.",
                    "{S} looks for {v} at every market."),
                    List.of(
                            "What does {n} collect?",
                            "What are the shelves of {n} full of?",
                            "What does {n} look for at every market?"),
                    joined(MATERIALS, " ", THINGS)),
            new Topic("thing", List.of(
                    "{S} is afraid of {v}.",
                    "{S} runs away from {v}.",
                    "{S} is frightened by {v}."),
                    List.of(
                            "What is {n} afraid of?",
                            "What does {n} run away from?",
                            "What is {n} frightened by?"),
                    anyOf(FEARS)),
            new Topic("trade", List.of(
                    "{S} works as a {v}.",
                    "{S} earns money as a {v}.",
                    "By trade {s} is a {v}."),
                    List.of(
                            "What does {n} work as?",
                            "How does {n} earn money?",
                            "What is the trade of {n}?"),
                    anyOf(TRADES)),
            new Topic("instrument", List.of(
                    "{S} plays the {v}.",
                    "{S} practises the {v} at night.",
                    "{P} instrument is the {v}."),
                    List.of(
                            "What does {n} play?",
                            "What does {n} practise at night?",
                            "Which instrument is that of {n}?"),
                    anyOf(INSTRUMENTS)),
            new Topic("number", List.of(
                    "{S} has {v} children.",
                    "{S} is the parent of {v} children.",
                    "There are {v} children in {p} family."),
                    List.of(
                            "How many children does {n} have?",
                            "How many children are in the family of {n}?",
                            "What is the number of children of {n}?"),
                    anyOf(NUMBERS)));

    private static Function<Random, String> anyOf(List<String> words) {
        return random -> words.get(random.nextInt(words.size()));
    }

    private static Function<Random, String> joined(List<String> beginnings, String between, List<String> endings) {
        Function<Random, String> beginning = anyOf(beginnings);
        Function<Random, String> ending = anyOf(endings);
        return random -> beginning.apply(random) + between + ending.apply(random);
    }
}
