package io.mixt5.model.io;

import io.mixt5.engine.UserException;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a Python pickle without running anything that it asks for.
 *
 * <p>A pickle is a program for a stack machine that may call any function of Python. This one knows the opcodes that
 * build numbers, texts, lists, tuples and dicts, and hands names, calls and persistent ids to a {@link Host}, which
 * refuses what it does not know. Everything else is refused by its name.
 *
 * <p>Values come as Long, BigInteger, Double, Boolean, String, {@link #NONE}, {@link Tuple}, List, Map (keys are texts
 * and numbers) and what the host gives. They may contain themselves: nothing here, and nothing that uses them, may
 * walk, compare or print them to the end. Not for use by several threads.
 */
final class PickleReader {
    /** Python's None. */
    static final Object NONE = new Object();

    /** Python's tuple. The array is not copied. */
    record Tuple(Object[] items) {
    }

    /** What a pickle may name and call. */
    interface Host {
        /** What {@code module.name} stands for; null where it is refused. */
        Object global(String module, String name);

        /** What calling {@code function}, something that this host gave, returns. */
        Object call(Object function, Object[] arguments) throws Refusal;

        /** What lies outside the pickle under {@code id}. */
        Object persistent(Object id) throws Refusal;
    }

    /** What a host does not take; the message goes on after "its pickle". */
    static final class Refusal extends Exception {
        private static final long serialVersionUID = 1L;

        Refusal(String message) {
            super(message);
        }
    }

    private static final int MAX_PROTOCOL = 5;
    /** Python's integers may have any number of bytes; the largest in a file of PyTorch, its magic number, has 10. */
    private static final int MAX_INTEGER_BYTES = 16;

    private final Path file;
    private final PickleInput in;
    private final Host host;
    private final List<Object> stack = new ArrayList<>();
    private final List<Integer> marks = new ArrayList<>();
    private final Map<Long, Object> memo = new HashMap<>();
    private long valuesLeft;

    private PickleReader(Path file, PickleInput in, Host host, long maxValues) {
        this.file = file;
        this.in = in;
        this.host = host;
        this.valuesLeft = maxValues;
    }

    /**
     * Reads one pickle; {@code in} is then just behind it.
     *
     * @param maxValues how many values it may make or remember, each of which takes up to 64 bytes
     * @throws UserException if it is damaged, asks for anything that {@code host} refuses, or makes too much
     */
    static Object read(Path file, PickleInput in, Host host, long maxValues) {
        return new PickleReader(file, in, host, maxValues).run();
    }

    private Object run() {
        while (true) {
            long at = in.position();
            int code = in.unsignedByte();
            PickleOpcode opcode = PickleOpcode.of(code);
            if (opcode == null) {
                throw new UserException(file + ": its pickle is damaged, " + code + " at byte " + at + " is no opcode");
            }
            if (opcode == PickleOpcode.STOP) {
                return pop();
            }
            try {
                execute(opcode);
            } catch (Refusal e) {
                throw new UserException(file + ": its pickle " + e.getMessage() + " (byte " + at + ")", e);
            }
        }
    }

    private void execute(PickleOpcode opcode) throws Refusal {
        switch (opcode) {
            case PROTO -> requireProtocol(in.unsignedByte());
            case FRAME -> in.unsigned(8);
            case NONE -> push(NONE);
            case NEWTRUE -> push(true);
            case NEWFALSE -> push(false);
            case BININT -> push((long) (int) in.unsigned(4));
            case BININT1 -> push(in.unsigned(1));
            case BININT2 -> push(in.unsigned(2));
            case LONG1 -> push(integer(in.unsignedByte()));
            case BINFLOAT -> push(Double.longBitsToDouble(Long.reverseBytes(in.unsigned(8))));
            case SHORT_BINUNICODE, SHORT_BINSTRING -> push(in.text(in.unsigned(1)));
            case BINUNICODE, BINSTRING -> push(in.text(in.unsigned(4)));
            case BINUNICODE8 -> push(in.text(in.unsigned(8)));
            case MARK -> mark();
            case EMPTY_TUPLE -> push(new Tuple(new Object[0]));
            case TUPLE1 -> push(new Tuple(popLast(1)));
            case TUPLE2 -> push(new Tuple(popLast(2)));
            case TUPLE3 -> push(new Tuple(popLast(3)));
            case TUPLE -> push(new Tuple(popMarked()));
            case EMPTY_LIST -> push(new ArrayList<>(0));
            case APPEND -> append(popLast(1));
            case APPENDS -> append(popMarked());
            case EMPTY_DICT -> push(new LinkedHashMap<>());
            case SETITEM -> put(popLast(2));
            case SETITEMS -> put(popMarked());
            case BINPUT -> memoize(in.unsigned(1));
            case LONG_BINPUT -> memoize(in.unsigned(4));
            case MEMOIZE -> memoize(memo.size());
            case BINGET -> push(remembered(in.unsigned(1)));
            case LONG_BINGET -> push(remembered(in.unsigned(4)));
            case GLOBAL, INST -> global(opcode, in.line(), in.line());
            case STACK_GLOBAL -> stackGlobal();
            case REDUCE -> reduce();
            case BUILD -> build();
            case BINPERSID -> push(host.persistent(pop()));
            default -> throw new Refusal(
                    "uses the opcode " + opcode + ", which no file of weights needs; nothing of it was run");
        }
    }

    private static void requireProtocol(int protocol) throws Refusal {
        if (protocol > MAX_PROTOCOL) {
            throw new Refusal("has the protocol " + protocol + ", and at most " + MAX_PROTOCOL + " is known");
        }
    }

    private Object integer(int bytes) throws Refusal {
        if (bytes > MAX_INTEGER_BYTES) {
            throw new Refusal("has an integer of " + bytes + " bytes");
        }
        byte[] value = in.bytes(bytes);
        byte[] bigEndian = new byte[bytes + 1];
        for (int i = 0; i < bytes; i++) {
            bigEndian[bytes - i] = value[i];
        }
        bigEndian[0] = (byte) (bytes > 0 && value[bytes - 1] < 0 ? -1 : 0);
        BigInteger integer = new BigInteger(bigEndian);
        return integer.bitLength() < Long.SIZE ? (Object) integer.longValue() : integer;
    }

    private void global(PickleOpcode opcode, String module, String name) throws Refusal {
        Object value = host.global(module, name);
        if (value == null || opcode == PickleOpcode.INST) {
            throw new Refusal("asks for " + module + "." + name
                    + ", which no file of weights needs; nothing of it was run, do not trust the file");
        }
        push(value);
    }

    private void stackGlobal() throws Refusal {
        Object[] names = popLast(2);
        if (!(names[0] instanceof String module) || !(names[1] instanceof String name)) {
            throw new Refusal("asks for a global whose name is no text");
        }
        global(PickleOpcode.STACK_GLOBAL, module, name);
    }

    private void reduce() throws Refusal {
        Object[] call = popLast(2);
        if (!(call[1] instanceof Tuple arguments)) {
            throw new Refusal("calls with arguments that are no tuple");
        }
        push(host.call(call[0], arguments.items));
    }

    /** The state of a dict is what its object has beside its items, as a state dict its versions: not needed here. */
    private void build() throws Refusal {
        Object state = pop();
        if (!(top() instanceof Map) || !(state instanceof Map)) {
            throw new Refusal("sets the state of an object that is no dict; nothing of it was run");
        }
    }

    private void append(Object[] items) throws Refusal {
        if (!(top() instanceof ArrayList<?>)) {
            throw new Refusal("appends to what is no list");
        }
        @SuppressWarnings("unchecked")
        List<Object> list = (List<Object>) top();
        list.addAll(List.of(items));
    }

    private void put(Object[] items) throws Refusal {
        if (!(top() instanceof LinkedHashMap<?, ?>) || items.length % 2 != 0) {
            throw new Refusal("sets items of what is no dict");
        }
        @SuppressWarnings("unchecked")
        Map<Object, Object> dict = (Map<Object, Object>) top();
        for (int i = 0; i < items.length; i += 2) {
            if (!(items[i] instanceof String || items[i] instanceof Long)) {
                throw new Refusal("has a dict with a key that is neither text nor number");
            }
            dict.put(items[i], items[i + 1]);
        }
    }

    private void memoize(long index) {
        spend();
        memo.put(index, top());
    }

    private Object remembered(long index) throws Refusal {
        Object value = memo.get(index);
        if (value == null) {
            throw new Refusal("uses number " + index + " of its memo, which was never set");
        }
        return value;
    }

    private void mark() {
        spend();
        marks.add(stack.size());
    }

    private void push(Object value) {
        spend();
        stack.add(value);
    }

    private void spend() {
        if (--valuesLeft < 0) {
            throw new UserException(
                    file + ": its pickle makes more values than the weights in a file of that size need");
        }
    }

    private Object top() {
        requireDepth(1);
        return stack.getLast();
    }

    private Object pop() {
        requireDepth(1);
        return stack.removeLast();
    }

    private Object[] popLast(int count) {
        requireDepth(count);
        return popFrom(stack.size() - count);
    }

    private Object[] popMarked() {
        if (marks.isEmpty()) {
            throw damaged();
        }
        return popFrom(marks.removeLast());
    }

    private Object[] popFrom(int size) {
        List<Object> items = stack.subList(size, stack.size());
        Object[] array = items.toArray();
        items.clear();
        return array;
    }

    /** What lies below a mark is out of reach until the mark is gone. */
    private void requireDepth(int count) {
        int bottom = marks.isEmpty() ? 0 : marks.getLast();
        if (stack.size() - bottom < count) {
            throw damaged();
        }
    }

    private UserException damaged() {
        return new UserException(
                file + ": its pickle is damaged, it takes more than there is (before byte " + in.position() + ")");
    }
}
