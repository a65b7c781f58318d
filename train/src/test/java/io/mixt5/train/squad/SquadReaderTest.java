package io.mixt5.train.squad;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.mixt5.engine.UserException;
import io.mixt5.train.SharedData;
import io.mixt5.train.squad.SquadReader.Answers;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SquadReaderTest {
    private static final String WHOLE = """
            {"version": "1.1", "data": [
              {"title": "Fish", "paragraphs": [
                {"context": "Cod is a fish \\u2013 na\u00efve.", "qas": [
                  {"id": "1", "question": "What is cod?", "answers": [
                    {"text": "a fish", "answer_start": 7}, {"text": "fish", "answer_start": 9}]},
                  {"id": "2", "question": "Who?", "answers": [{"text": "Cod", "answer_start": 0}]}]},
                {"context": "Empty.", "qas": []}]},
              {"title": "None", "paragraphs": []},
              {"title": "Birds", "paragraphs": [
                {"context": "An owl.", "qas": [
                  {"id": "3", "question": "Which?", "answers": [{"text": "owl", "answer_start": 3}]}]}]}]}
            """;

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("data.json");
    }

    @Test
    void readsEveryQuestionInOrder() throws IOException {
        Files.writeString(file, WHOLE);
        checkWhole(SquadReader.readAll(file, Answers.REQUIRED));
    }

    @Test
    void readsGzipWhateverTheName() throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            out.write(WHOLE.getBytes(StandardCharsets.UTF_8));
        }
        checkWhole(SquadReader.readAll(file, Answers.REQUIRED));
    }

    @Test
    void takesFieldsInAnyOrderAndPassesOverUnknownOnes() throws IOException {
        write("""
                {'data': [
                  {'paragraphs': [
                    {'qas': [
                      {'answers': [{'answer_start': 0, 'note': [1], 'text': 'x'}], 'is_impossible': false,
                       'plausible_answers': [{'text': 5}], 'question': 'q1', 'id': '1'}],
                     'extra': {'qas': [1]}, 'context': 'c1'},
                    {'context': 'c2', 'qas': [{'id': '2', 'question': 'q2', 'answers': [{'text': 'y'}]}]}],
                   'title': 'late', 'url': null},
                  {'paragraphs': [
                    {'context': 'c3', 'qas': [{'id': '3', 'question': 'q3', 'answers': [{'text': 'z'}]}]}]}],
                 'version': 1, 'more': {'data': [{}]}}""");
        assertEquals(List.of(
                new SquadExample("1", "late", "q1", "c1", List.of(new SquadExample.Answer("x", 0))),
                new SquadExample("2", "late", "q2", "c2", List.of(new SquadExample.Answer("y", -1))),
                new SquadExample("3", "", "q3", "c3", List.of(new SquadExample.Answer("z", -1)))),
                SquadReader.readAll(file, Answers.REQUIRED));
    }

    @Test
    void givesQuestionsBeforeAFaultFurtherOn() throws IOException {
        Files.writeString(file, WHOLE.substring(0, WHOLE.indexOf("Birds")));
        try (SquadReader reader = SquadReader.open(file, Answers.REQUIRED)) {
            assertEquals("1", reader.next().id());
            assertEquals("2", reader.next().id());
            assertThrows(UserException.class, reader::hasNext);
        }
    }

    @Test
    void endsWithAnExceptionOnlyWhenAskedForMore() throws IOException {
        Files.writeString(file, WHOLE);
        try (SquadReader reader = SquadReader.open(file, Answers.REQUIRED)) {
            for (int i = 0; i < 3; i++) {
                assertTrue(reader.hasNext());
                assertTrue(reader.hasNext());
                reader.next();
            }
            assertFalse(reader.hasNext());
            assertFalse(reader.hasNext());
            assertThrows(NoSuchElementException.class, reader::next);
        }
    }

    @Test
    void leavesOutAndCountsUnanswerableQuestionsWhereAnswersAreNeeded() throws IOException {
        write("{'data': [{'title': 't', 'paragraphs': [{'context': 'c', 'qas': ["
                + "{'id': '1', 'question': 'q', 'answers': [], 'is_impossible': true},"
                + "{'id': '2', 'question': 'q', 'answers': [{'text': 'x'}]}]}]}]}");
        try (SquadReader reader = SquadReader.open(file, Answers.REQUIRED)) {
            assertEquals("2", reader.next().id());
            assertFalse(reader.hasNext());
            assertEquals(1, reader.unanswerable());
        }
        assertEquals(List.of("1", "2"),
                SquadReader.readAll(file, Answers.OPTIONAL).stream().map(SquadExample::id).toList());
    }

    /** Data set with ' for ", message. P: a context and one question with the text after it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{'data':[]} | FILE is an empty data set: it has no question",
            "{'data':[{'title':'t','paragraphs':[]}]} | FILE is an empty data set: it has no question",
            "{'data':[{'title':'t','paragraphs':[{'context':'c','qas':[]}]}]} "
                    + "| FILE is an empty data set: it has no question",
            "{'data':[{'paragraphs':[{'context':'c','qas':"
                    + "[{'id':'1','question':'q','answers':[],'is_impossible':true}]}]}]} "
                    + "| FILE is an empty data set: it has no question that can be answered",
            "{} | FILE is no SQuAD data set: it has no 'data'",
            "`` | FILE is empty, but a SQuAD data set is needed",
            "`  ` | FILE is empty, but a SQuAD data set is needed",
            "[] | FILE must hold a JSON object with the key 'data', found a list",
            "'data' | FILE must hold a JSON object with the key 'data', found the text \"data\"",
            "{'data':{}} | data in FILE must be a list, found an object",
            "{'data':null} | data in FILE must be a list, found null",
            "{'data':['x']} | data[0] in FILE must be an object, found the text \"x\"",
            "{'data':[{'title':'t'}]} | data[0] in FILE has no 'paragraphs'",
            "{'data':[{'title':7,'paragraphs':[]}]} | data[0].title in FILE must be a text, found the number 7",
            "{'data':[{'paragraphs':{}}]} | data[0].paragraphs in FILE must be a list, found an object",
            "{'data':[{'paragraphs':[[]]}]} | data[0].paragraphs[0] in FILE must be an object, found a list",
            "{'data':[{'paragraphs':[{'qas':[]}]}]} | data[0].paragraphs[0] in FILE has no 'context'",
            "{'data':[{'paragraphs':[{'context':'c'}]}]} | data[0].paragraphs[0] in FILE has no 'qas'",
            "{'data':[{'paragraphs':[{'context':'','qas':[]}]}]} "
                    + "| data[0].paragraphs[0].context in FILE has no text",
            "{'data':[{'paragraphs':[]},{'paragraphs':[{'context':'c','qas':[]},{'context':' \\n\u00a0\u3000',"
                    + "'qas':[]}]}]} | data[1].paragraphs[1].context in FILE has no text",
            "{'data':[{'paragraphs':[{'context':null,'qas':[]}]}]} "
                    + "| data[0].paragraphs[0].context in FILE must be a text, found null",
            "{'data':[{'paragraphs':[{'context':'\\ud83d!','qas':[]}]}]} "
                    + "| data[0].paragraphs[0].context in FILE has half of a surrogate pair, which is no character",
            "{'data':[{'paragraphs':[{'context':'c','qas':{}}]}]} "
                    + "| data[0].paragraphs[0].qas in FILE must be a list, found an object",
            "{'data':[{'paragraphs':[{'context':'c','qas':['q']}]}]} "
                    + "| data[0].paragraphs[0].qas[0] in FILE must be an object, found the text \"q\"",
            "P'id':'1','question':3,'answers':[]} | PLACE.question in FILE must be a text, found the number 3",
            "P'id':'1','question':['q'],'answers':[]} | PLACE.question in FILE must be a text, found a list",
            "P'id':'1','question':' ','answers':[]} | PLACE.question in FILE has no text",
            "P'id':'1','answers':[{'text':'x'}]} | PLACE in FILE has no 'question'",
            "P'question':'q','answers':[{'text':'x'}]} | PLACE in FILE has no 'id'",
            "P'id':17,'question':'q'} | PLACE.id in FILE must be a text, found the number 17",
            "P'id':'','question':'q'} | PLACE.id in FILE has no text",
            "P'id':'17','question':'q'} | PLACE in FILE has no answer: the question '17' needs one in 'answers'",
            "P'id':'17','question':'q','answers':[],'is_impossible':false} "
                    + "| PLACE in FILE has no answer: the question '17' needs one in 'answers'",
            "P'id':'1','question':'q','is_impossible':'no'} "
                    + "| PLACE.is_impossible in FILE must be true or false, found the text \"no\"",
            "P'id':'1','question':'q','answers':{'text':['x']}} | PLACE.answers in FILE must be a list, found an "
                    + "object",
            "P'id':'1','question':'q','answers':['x']} "
                    + "| PLACE.answers[0] in FILE must be an object, found the text \"x\"",
            "P'id':'1','question':'q','answers':[{'text':'x'},{'answer_start':1}]} "
                    + "| PLACE.answers[1] in FILE has no 'text'",
            "P'id':'1','question':'q','answers':[{'text':1}]} "
                    + "| PLACE.answers[0].text in FILE must be a text, found the number 1",
            "P'id':'1','question':'q','answers':[{'text':'x','answer_start':'3'}]} "
                    + "| PLACE.answers[0].answer_start in FILE must be a whole number, found the text \"3\"",
            "P'id':'1','question':'q','answers':[{'text':'x','answer_start':4294967296}]} "
                    + "| PLACE.answers[0].answer_start in FILE must be below 2^31, found the number 4294967296",
            "P'id':'1','id':'1','question':'q','answers':[]} | FILE has the key 'PLACE.id' twice",
            "{'data':[]} x | FILE is not valid JSON: Unrecognized token 'x': was expecting (JSON String, Number, "
                    + "Array, Object or token 'null', 'true' or 'false') (line 1, column 13)",
            "{'data':[],} | FILE is not valid JSON: Unexpected character ('}' (code 125)): "
                    + "was expecting double-quote to start field name (line 1, column 12)"})
    void namesThePlaceOfAFault(String json, String message) throws IOException {
        String place = "data[1].paragraphs[0].qas[1]";
        write(json.startsWith("P")
                ? "{'data':[{'paragraphs':[]},{'title':'t','paragraphs':[{'context':'c','qas':["
                        + "{'id':'0','question':'q','answers':[{'text':'x'}]},{" + json.substring(1) + "]}]}]}"
                : json);
        assertEquals(message.replace("FILE", file.toString()).replace("PLACE", place), faultOf(Answers.REQUIRED));
    }

    @Test
    void saysThatAFileIsCutWhereverItIs() throws IOException {
        byte[] whole = WHOLE.strip().getBytes(StandardCharsets.UTF_8);
        for (int length = 1; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            String message = faultOf(Answers.REQUIRED);
            assertTrue(message.startsWith(file + " ends in the middle of ") && message.contains("it was cut"),
                    length + ": " + message);
            assertEquals(-1, message.indexOf('\n'));
        }
    }

    @Test
    void saysWhereAByteIsNotUtf8() throws IOException {
        byte[] bytes = WHOLE.getBytes(StandardCharsets.ISO_8859_1);
        int place = WHOLE.indexOf('\u00ef');
        Files.write(file, bytes);
        assertEquals(file + " is not valid UTF-8 at byte " + place, faultOf(Answers.OPTIONAL));
        Files.write(file, WHOLE.getBytes(StandardCharsets.UTF_16));
        assertEquals(file + " is not valid UTF-8 at byte 0", faultOf(Answers.OPTIONAL));
    }

    @Test
    void refusesAMissingFileAndADirectory() {
        assertEquals("there is no file " + file, faultOf(Answers.REQUIRED));
        file = directory;
        assertEquals(directory + " is a directory, but a file is needed here", faultOf(Answers.REQUIRED));
    }

    @Test
    void readsTheRealData() {
        List<SquadExample> dev = SquadReader.readAll(SharedData.require("data/squad/dev-v1.1.json.gz"),
                Answers.REQUIRED);
        assertEquals(10570, dev.size());
        assertEquals(48, dev.stream().map(SquadExample::title).distinct().count());
        assertEquals(2067, dev.stream().map(SquadExample::context).distinct().count());
        assertSame(dev.get(0).context(), dev.get(1).context());
        for (SquadExample example : dev) {
            for (SquadExample.Answer answer : example.answers()) {
                assertTrue(example.context().startsWith(answer.text(),
                        example.context().offsetByCodePoints(0, answer.start())), example.id());
            }
        }
        assertEquals(1382, SquadReader.readAll(SharedData.require("data/squad/train-small.json"), Answers.REQUIRED)
                .size());
    }

    @Test
    void wordsTheQuestionAsMixT5Does() {
        SquadExample example = new SquadExample("1", "t", "Who won?", "The Denver Broncos.",
                List.of(new SquadExample.Answer("Denver Broncos", 4), new SquadExample.Answer("Broncos", 11)));
        assertEquals("[squad][question]Who won?[context]The Denver Broncos.", SquadPrompt.input(example));
        assertEquals("Denver Broncos", SquadPrompt.target(example));
        assertEquals(List.of("[squad]", "[question]", "[context]"), SquadPrompt.MARKERS);
    }

    private static void checkWhole(List<SquadExample> found) {
        assertEquals(List.of(
                new SquadExample("1", "Fish", "What is cod?", "Cod is a fish \u2013 na\u00efve.",
                        List.of(new SquadExample.Answer("a fish", 7), new SquadExample.Answer("fish", 9))),
                new SquadExample("2", "Fish", "Who?", "Cod is a fish \u2013 na\u00efve.",
                        List.of(new SquadExample.Answer("Cod", 0))),
                new SquadExample("3", "Birds", "Which?", "An owl.",
                        List.of(new SquadExample.Answer("owl", 3)))),
                found);
        assertSame(found.get(0).context(), found.get(1).context());
    }

    private void write(String json) throws IOException {
        Files.writeString(file, json.replace('\'', '"'));
    }

    private String faultOf(Answers answers) {
        return assertThrows(UserException.class, () -> SquadReader.readAll(file, answers)).getMessage();
    }
}
