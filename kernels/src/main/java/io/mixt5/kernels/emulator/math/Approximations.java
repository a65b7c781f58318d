package io.mixt5.kernels.emulator.math;

/**
 * The functions that a GPU approximates. Here they are computed in double precision and rounded to nearest, so that
 * they err by little more than half a unit in the last place; what a GPU may err by is said at each, from the PTX ISA.
 * Code whose results depend on the difference is wrong on a GPU too.
 *
 * <p>For {@code .ftz} flush the operand and the result. The NaN that they return is that of the format.
 */
public final class Approximations {
    private static final double LN_2 = Math.log(2);

    private Approximations() {
    }

    /** {@code ex2.approx.f32}, 2^a; a GPU's relative error is at most 2^-22. */
    public static int ex2(int a) {
        return Floats.bits((float) exp2(Floats.value(a)));
    }

    /** {@code lg2.approx.f32}; a GPU's error is at most 2^-22, absolute between 0.5 and 2 and relative elsewhere. */
    public static int lg2(int a) {
        return Floats.bits((float) (Math.log(Floats.value(a)) / LN_2));
    }

    /** {@code sin.approx.f32}; a GPU's absolute error is at most 2^-20.5 between -2 pi and 2 pi and grows outside. */
    public static int sin(int a) {
        return Floats.bits((float) Math.sin(Floats.value(a)));
    }

    /** {@code cos.approx.f32}; a GPU's absolute error is at most 2^-20.5 between -2 pi and 2 pi and grows outside. */
    public static int cos(int a) {
        return Floats.bits((float) Math.cos(Floats.value(a)));
    }

    /** {@code tanh.approx.f32}; a GPU's relative error is at most 2^-11. */
    public static int tanh(int a) {
        return Floats.bits((float) Math.tanh(Floats.value(a)));
    }

    /** {@code rcp.approx.f32}; a GPU errs by at most one unit in the last place. */
    public static int rcp(int a) {
        return Floats.rcp(a);
    }

    /** {@code sqrt.approx.f32}; a GPU's relative error is at most 2^-23. */
    public static int sqrt(int a) {
        return Floats.sqrt(a);
    }

    /** {@code rsqrt.approx.f32}; a GPU's relative error is at most 2^-22.9. */
    public static int rsqrt(int a) {
        return Floats.bits((float) (1 / Math.sqrt(Floats.value(a))));
    }

    /**
     * {@code div.approx.f32} and {@code div.full.f32}; a GPU errs by at most two units in the last place, the former
     * only for divisors between 2^-126 and 2^126 in magnitude.
     */
    public static int div(int a, int b) {
        return Floats.div(a, b);
    }

    /** {@code ex2.approx.f16}; a GPU's relative error is at most 2^-9.9. */
    public static int ex2Half(int a) {
        return (int) Format.F16.encode(exp2(Halves.value(a)), Rounding.NEAREST);
    }

    /** {@code tanh.approx.f16}; a GPU's absolute error is at most 2^-10.987. */
    public static int tanhHalf(int a) {
        return (int) Format.F16.encode(Math.tanh(Halves.value(a)), Rounding.NEAREST);
    }

    /** {@code ex2.approx.ftz.bf16}, the operand and the result flushed; a GPU's relative error is at most 2^-7. */
    public static int ex2Bfloat(int a) {
        return Bfloats.flush((int) Format.BF16.encode(exp2(Bfloats.value(Bfloats.flush(a))), Rounding.NEAREST));
    }

    /** {@code tanh.approx.bf16}; a GPU's relative error is at most 2^-8. */
    public static int tanhBfloat(int a) {
        return (int) Format.BF16.encode(Math.tanh(Bfloats.value(a)), Rounding.NEAREST);
    }

    /** {@code ex2.approx.f16x2}. */
    public static int ex2Half2(int a) {
        return Halves.pair(ex2Half(a), ex2Half(a >>> 16));
    }

    /** {@code tanh.approx.f16x2}. */
    public static int tanhHalf2(int a) {
        return Halves.pair(tanhHalf(a), tanhHalf(a >>> 16));
    }

    /** {@code ex2.approx.ftz.bf16x2}. */
    public static int ex2Bfloat2(int a) {
        return Halves.pair(ex2Bfloat(a), ex2Bfloat(a >>> 16));
    }

    /** {@code tanh.approx.bf16x2}. */
    public static int tanhBfloat2(int a) {
        return Halves.pair(tanhBfloat(a), tanhBfloat(a >>> 16));
    }

    /** Good to 45 bits, as the argument's error grows with it; the powers that are floats come out exact as floats. */
    private static double exp2(double x) {
        return Math.exp(x * LN_2);
    }
}
