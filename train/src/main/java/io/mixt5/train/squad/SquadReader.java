package io.mixt5.train.squad;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.mixt5.engine.UserException;
import io.mixt5.model.io.JsonErrors;
import io.mixt5.model.io.StrictJson;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Reads the questions of a SQuAD v1.1 file, JSON or packed by gzip, one paragraph in memory at a time.
 *
 * <p>Fields that v1.1 does not have are passed over, v2.0's among them. The order of the fields is free; where an
 * article's title follows its paragraphs, that article is held until it comes. Every fault of the file is a
 * {@link UserException} that names the place, as in {@code data[3].paragraphs[2].qas[0].question}; it comes when the
 * reader gets there, and what was given before it stands. Not for use by several threads.
 */
public final class SquadReader implements Iterator<SquadExample>, AutoCloseable {
    /** Whether a question needs an answer. */
    public enum Answers {
        /**
         * For training and scoring: a question without one is an error, unless v2.0's {@code is_impossible} says that
         * it has none; then it is left out and counted.
         */
        REQUIRED,
        /** For prediction: every question is given. */
        OPTIONAL
    }

    /** What the parser is inside of. */
    private enum Place {
        FILE, DATA, ARTICLE, PARAGRAPHS, END
    }

    /** A question whose context or title may be still to come. */
    private record Question(String id, String text, List<SquadExample.Answer> answers) {
    }

    private final Path file;
    private final Answers answers;
    private final JsonParser json;
    private final Deque<SquadExample> ready = new ArrayDeque<>();
    private final List<SquadExample> untitled = new ArrayList<>();
    private Place place = Place.FILE;
    private String title;
    private boolean hasData;
    private boolean hasParagraphs;
    private long given;
    private long unanswerable;

    private SquadReader(Path file, Answers answers, JsonParser json) {
        this.file = file;
        this.answers = answers;
        this.json = json;
    }

    /**
     * Opens {@code file}.
     *
     * @throws UserException if it cannot be read or holds no JSON object
     */
    public static SquadReader open(Path file, Answers answers) {
        SquadReader reader = new SquadReader(file, answers, StrictJson.parser(file));
        try {
            reader.start();
            return reader;
        } catch (IOException | UserException e) {
            reader.close();
            throw e instanceof IOException io ? JsonErrors.reading(file, io) : (UserException) e;
        }
    }

    /**
     * All questions of {@code file}.
     *
     * @throws UserException if anything in it is wrong or it has none
     */
    public static List<SquadExample> readAll(Path file, Answers answers) {
        List<SquadExample> examples = new ArrayList<>();
        try (SquadReader reader = open(file, answers)) {
            reader.forEachRemaining(examples::add);
        }
        return examples;
    }

    /**
     * Whether there is another question.
     *
     * @throws UserException if the file is wrong up to there, or has no question at all
     */
    @Override
    public boolean hasNext() {
        try {
            while (ready.isEmpty() && place != Place.END) {
                step();
            }
        } catch (IOException e) {
            throw JsonErrors.reading(file, e);
        }
        return !ready.isEmpty();
    }

    @Override
    public SquadExample next() {
        if (!hasNext()) {
            throw new NoSuchElementException(file.toString());
        }
        given++;
        return ready.remove();
    }

    /** How many questions were left out so far, as {@code is_impossible} says that they have no answer. */
    public long unanswerable() {
        return unanswerable;
    }

    @Override
    public void close() {
        try {
            json.close();
        } catch (IOException e) {
            throw JsonErrors.reading(file, e);
        }
    }

    private void start() throws IOException {
        if (json.nextToken() == null) {
            throw new UserException(file + " is empty, but a SQuAD data set is needed");
        }
        if (!json.hasToken(JsonToken.START_OBJECT)) {
            throw new UserException(file + " must hold a JSON object with the key 'data', found "
                    + JsonErrors.describe(json));
        }
    }

    /** Reads up to the next thing that may give questions. */
    private void step() throws IOException {
        JsonToken token = json.nextToken();
        switch (place) {
            case FILE -> stepFile(token);
            case DATA -> stepData(token);
            case ARTICLE -> stepArticle(token);
            case PARAGRAPHS -> stepParagraphs(token);
            default -> throw new IllegalStateException("step at " + place);
        }
    }

    private void stepFile(JsonToken token) throws IOException {
        if (token == JsonToken.FIELD_NAME) {
            boolean data = json.currentName().equals("data");
            json.nextToken();
            if (data) {
                require(JsonToken.START_ARRAY, "a list");
                hasData = true;
                place = Place.DATA;
            } else {
                json.skipChildren();
            }
            return;
        }
        place = Place.END;
        if (json.nextToken() != null) {
            throw new UserException(file + " goes on after the end of its JSON");
        }
        if (!hasData) {
            throw new UserException(file + " is no SQuAD data set: it has no 'data'");
        }
        if (given == 0) {
            throw new UserException(file + " is an empty data set: it has no question"
                    + (unanswerable == 0 ? "" : " that can be answered"));
        }
    }

    private void stepData(JsonToken token) throws IOException {
        if (token == JsonToken.END_ARRAY) {
            place = Place.FILE;
            return;
        }
        require(JsonToken.START_OBJECT, "an object");
        title = null;
        hasParagraphs = false;
        place = Place.ARTICLE;
    }

    private void stepArticle(JsonToken token) throws IOException {
        if (token == JsonToken.END_OBJECT) {
            if (!hasParagraphs) {
                throw missing("paragraphs");
            }
            entitle("");
            place = Place.DATA;
            return;
        }
        String field = json.currentName();
        json.nextToken();
        switch (field) {
            case "title" -> entitle(text());
            case "paragraphs" -> {
                require(JsonToken.START_ARRAY, "a list");
                hasParagraphs = true;
                place = Place.PARAGRAPHS;
            }
            default -> json.skipChildren();
        }
    }

    private void entitle(String found) {
        title = found;
        for (SquadExample e : untitled) {
            ready.add(new SquadExample(e.id(), title, e.question(), e.context(), e.answers()));
        }
        untitled.clear();
    }

    private void stepParagraphs(JsonToken token) throws IOException {
        if (token == JsonToken.END_ARRAY) {
            place = Place.ARTICLE;
            return;
        }
        require(JsonToken.START_OBJECT, "an object");
        String context = null;
        List<Question> questions = null;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String field = json.currentName();
            json.nextToken();
            switch (field) {
                case "context" -> context = filledText();
                case "qas" -> questions = questions();
                default -> json.skipChildren();
            }
        }
        if (context == null) {
            throw missing("context");
        }
        if (questions == null) {
            throw missing("qas");
        }
        for (Question q : questions) {
            if (title == null) {
                untitled.add(new SquadExample(q.id, "", q.text, context, q.answers));
            } else {
                ready.add(new SquadExample(q.id, title, q.text, context, q.answers));
            }
        }
    }

    private List<Question> questions() throws IOException {
        require(JsonToken.START_ARRAY, "a list");
        List<Question> questions = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            question(questions);
        }
        return questions;
    }

    private void question(List<Question> questions) throws IOException {
        require(JsonToken.START_OBJECT, "an object");
        String id = null;
        String text = null;
        List<SquadExample.Answer> found = List.of();
        boolean impossible = false;
        while (json.nextToken() != JsonToken.END_OBJECT) {
            String field = json.currentName();
            json.nextToken();
            switch (field) {
                case "id" -> id = filledText();
                case "question" -> text = filledText();
                case "answers" -> found = answers();
                case "is_impossible" -> impossible = truth();
                default -> json.skipChildren();
            }
        }
        if (id == null) {
            throw missing("id");
        }
        if (text == null) {
            throw missing("question");
        }
        if (answers == Answers.REQUIRED && found.isEmpty()) {
            if (!impossible) {
                throw new UserException(JsonErrors.path(json) + " in " + file + " has no answer: the question '" + id
                        + "' needs one in 'answers'");
            }
            unanswerable++;
            return;
        }
        questions.add(new Question(id, text, found));
    }

    private List<SquadExample.Answer> answers() throws IOException {
        require(JsonToken.START_ARRAY, "a list");
        List<SquadExample.Answer> found = new ArrayList<>();
        while (json.nextToken() != JsonToken.END_ARRAY) {
            require(JsonToken.START_OBJECT, "an object");
            String text = null;
            int start = -1;
            while (json.nextToken() != JsonToken.END_OBJECT) {
                String field = json.currentName();
                json.nextToken();
                switch (field) {
                    case "text" -> text = text();
                    case "answer_start" -> start = wholeNumber();
                    default -> json.skipChildren();
                }
            }
            if (text == null) {
                throw missing("text");
            }
            found.add(new SquadExample.Answer(text, start));
        }
        return List.copyOf(found);
    }

    private String text() throws IOException {
        require(JsonToken.VALUE_STRING, "a text");
        String text = json.getText();
        if (text.codePoints().anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE)) {
            throw wrong("has half of a surrogate pair, which is no character");
        }
        return text;
    }

    private String filledText() throws IOException {
        String text = text();
        if (text.codePoints().allMatch(c -> Character.isWhitespace(c) || Character.isSpaceChar(c))) {
            throw wrong("has no text");
        }
        return text;
    }

    private boolean truth() throws IOException {
        if (!json.hasToken(JsonToken.VALUE_TRUE)) {
            require(JsonToken.VALUE_FALSE, "true or false");
        }
        return json.getBooleanValue();
    }

    private int wholeNumber() throws IOException {
        require(JsonToken.VALUE_NUMBER_INT, "a whole number");
        if (json.getNumberType() != JsonParser.NumberType.INT) {
            throw wrong("must be below 2^31, found " + JsonErrors.describe(json));
        }
        return json.getIntValue();
    }

    private void require(JsonToken token, String name) throws IOException {
        if (!json.hasToken(token)) {
            throw wrong("must be " + name + ", found " + JsonErrors.describe(json));
        }
    }

    private UserException wrong(String what) {
        return new UserException(JsonErrors.path(json) + " in " + file + " " + what);
    }

    /** For use when the parser has just left the object. */
    private UserException missing(String field) {
        return new UserException(JsonErrors.path(json) + " in " + file + " has no '" + field + "'");
    }
}
