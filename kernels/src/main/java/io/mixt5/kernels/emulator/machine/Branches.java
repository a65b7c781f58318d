package io.mixt5.kernels.emulator.machine;

/** Instructions that say where lanes go on: bra, brx.idx, exit, trap. */
public final class Branches {
    private Branches() {
    }

    /** bra, and the way back of an inlined function. */
    public static final class Branch extends Flow {
        private int target;

        /** Sets where to, once the label's place is known. */
        public void target(int target) {
            this.target = target;
        }

        @Override
        boolean step(Warp warp, int mask) {
            int taken = allowed(warp, mask);
            if (guard >= 0 && warp.monitor != null) {
                warp.monitor.branched(warp, line, mask, taken);
            }
            if (taken == mask) {
                warp.pc = target;
                return true;
            }
            if (taken == 0) {
                warp.pc++;
                return true;
            }
            warp.put(target, taken);
            warp.put(warp.pc + 1, mask & ~taken);
            return false;
        }
    }

    /** brx.idx: a table of targets. */
    public static final class IndexedBranch extends Flow {
        private final int index;
        private final int[] targets;

        /**
         * A table of {@code count} targets.
         *
         * @param index the register that chooses
         */
        public IndexedBranch(int index, int count) {
            this.index = index;
            this.targets = new int[count];
        }

        /** Sets one target, once the label's place is known. */
        public void target(int i, int target) {
            targets[i] = target;
        }

        @Override
        boolean step(Warp warp, int mask) {
            int taken = allowed(warp, mask);
            if (taken != mask) {
                warp.put(warp.pc + 1, mask & ~taken);
            }
            int[] indices = warp.ints[index];
            int rest = taken;
            while (rest != 0) {
                int lane = Integer.numberOfTrailingZeros(rest);
                int chosen = indices[lane];
                if (chosen < 0 || chosen >= targets.length) {
                    throw warp.failed(this, lane, "index " + chosen + " has no target");
                }
                int same = Warp.equal(indices, chosen, rest);
                warp.put(targets[chosen], same);
                rest &= ~same;
            }
            return false;
        }
    }

    /** exit, and ret of a kernel. */
    public static final class Exit extends Flow {
        @Override
        boolean step(Warp warp, int mask) {
            int leaving = allowed(warp, mask);
            if (leaving != mask) {
                warp.put(warp.pc + 1, mask & ~leaving);
            }
            warp.exit(leaving);
            return false;
        }
    }

    /** trap: ends the launch. */
    public static final class Trap extends Flow {
        @Override
        boolean step(Warp warp, int mask) {
            int trapped = allowed(warp, mask);
            if (trapped != 0) {
                throw warp.failed(this, Integer.numberOfTrailingZeros(trapped), "the kernel trapped");
            }
            warp.pc++;
            return true;
        }
    }
}
