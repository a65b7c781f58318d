package io.mixt5.kernels.emulator.instruction;

import io.mixt5.kernels.emulator.Monitor.Work;

/** What kind of work an opcode is. */
final class Works {
    private Works() {
    }

    static Work of(Opcode opcode) {
        return switch (opcode.name()) {
            case "ld", "ldu", "prefetch", "prefetchu" -> Work.LOAD;
            case "st" -> Work.STORE;
            case "atom", "red" -> Work.ATOMIC;
            case "cp" -> Work.COPY;
            case "ldmatrix", "mma", "wmma", "movmatrix" -> Work.MATRIX;
            case "bra", "brx", "call", "ret", "exit", "trap" -> Work.CONTROL;
            case "shfl", "vote", "match", "redux", "activemask" -> Work.EXCHANGE;
            case "bar", "barrier", "membar", "fence", "nanosleep" -> Work.BARRIER;
            case "cvt", "cvta" -> Work.CONVERSION;
            case "mov", "selp", "slct", "set", "setp" -> Work.MOVE;
            case "ex2", "lg2", "sin", "cos", "tanh", "rsqrt", "rcp" -> Work.SPECIAL;
            case "sqrt", "div" -> opcode.has("approx") || opcode.has("full") ? Work.SPECIAL : arithmetic(opcode);
            default -> arithmetic(opcode);
        };
    }

    private static Work arithmetic(Opcode opcode) {
        if (opcode.has("f32")) {
            return Work.FLOAT;
        }
        if (opcode.has("f64")) {
            return Work.DOUBLE;
        }
        boolean half = opcode.has("f16") || opcode.has("f16x2") || opcode.has("bf16") || opcode.has("bf16x2");
        return half ? Work.HALF : Work.INTEGER;
    }
}
