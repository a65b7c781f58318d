package io.mixt5.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Every kernel that is shipped compiles with NVIDIA's compiler of CUDA 12.0 for every generation that it is for, without
 * spilling registers; and the committed table of what the kernels need is true. With {@code -Dmixt5.update=true} the
 * table is written anew.
 */
class PtxCompilerTest {
    private static final Path PTX = Path.of("src/main/resources/ptx");
    private static final Path TABLE = Path.of("src/main/cuda/resources.md");
    private static final List<String> TARGETS = List.of("sm_75", "sm_80", "sm_90");
    /** The threads of a block for which occupancy is given where the PTX does not say how many there may be. */
    private static final int USUAL_THREADS = 256;

    @BeforeAll
    static void load() {
        String unavailable = PtxCompiler.unavailable();
        if (unavailable != null) {
            String reason = "The kernels' PTX is not compiled here: " + unavailable + ".";
            System.out.println("NOT TESTED. " + reason);
            Assumptions.abort(reason);
        }
    }

    @Test
    void compilesForEveryGenerationWithoutSpilling() throws IOException {
        Map<String, Map<String, PtxCompiler.Resources>> kernels = compileAll();
        List<String> spilling = new ArrayList<>();
        kernels.forEach((kernel, byTarget) -> byTarget.forEach((target, needs) -> {
            if (needs.spillBytes() > 0) {
                spilling.add(kernel + " for " + target + " spills " + needs.spillBytes() + " bytes of registers");
            }
        }));
        assertEquals(List.of(), spilling);
        String table = table(kernels);
        if (Boolean.getBoolean("mixt5.update")) {
            Files.writeString(TABLE, table);
        } else if (!Files.exists(TABLE) || !Files.readString(TABLE).equals(table)) {
            fail(TABLE + " is not what the compiler says now; run this test with -Dmixt5.update=true, look at what has "
                    + "changed and commit it:\n" + table);
        }
    }

    /** By file and kernel, then target. */
    private static Map<String, Map<String, PtxCompiler.Resources>> compileAll() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(PTX)) {
            files = all.filter(file -> file.toString().endsWith(".ptx")).sorted().toList();
        }
        assertFalse(files.isEmpty(), "no PTX in " + PTX.toAbsolutePath());
        Map<String, Map<String, PtxCompiler.Resources>> kernels = new LinkedHashMap<>();
        for (Path path : files) {
            String file = path.getFileName().toString();
            String ptx = Files.readString(path);
            List<String> targets = targets(file);
            assertTrue(ptx.contains(".target " + targets.getFirst()), file + " is for " + targets.getFirst()
                    + " by its name, and not by its .target");
            for (String target : targets) {
                for (PtxCompiler.Resources needs : PtxCompiler.compile(file, ptx, target)) {
                    kernels.computeIfAbsent(file + " | " + needs.kernel(), key -> new LinkedHashMap<>())
                            .put(target, needs);
                }
            }
        }
        return kernels;
    }

    /** What a file is for by its name: {@code name.sm_80.ptx} for sm_80 and newer, {@code name.ptx} for all. */
    private static List<String> targets(String file) {
        String[] parts = file.split("\\.");
        int oldest = parts.length == 2 ? 0 : TARGETS.indexOf(parts[1]);
        assertTrue(oldest >= 0, file + " is for no known target");
        return TARGETS.subList(oldest, TARGETS.size());
    }

    private static String table(Map<String, Map<String, PtxCompiler.Resources>> kernels) {
        StringBuilder text = new StringBuilder("# What the kernels need\n\n");
        text.append("Registers of a thread, static shared memory of a block, stack of a thread where it has one, and ")
                .append("the share of a\nmultiprocessor's places for threads that can be taken at once (with no dynamic ")
                .append("shared memory; in blocks of as many\nthreads as the kernel allows, or of ")
                .append(USUAL_THREADS).append(" in parentheses where it does not say). NVIDIA's PTX compiler of CUDA ")
                .append(PtxCompiler.version()).append(".\nPtxCompilerTest keeps this table true.\n\n| File | Kernel | ")
                .append("Threads |");
        TARGETS.forEach(target -> text.append(' ').append(target).append(" |"));
        text.append("\n| --- | --- | --- |").append(" --- |".repeat(TARGETS.size())).append('\n');
        kernels.forEach((kernel, byTarget) -> {
            int threads = byTarget.values().iterator().next().threads();
            text.append("| ").append(kernel).append(" | ")
                    .append(threads == 0 ? "(" + USUAL_THREADS + ")" : Integer.toString(threads)).append(" |");
            for (String target : TARGETS) {
                PtxCompiler.Resources needs = byTarget.get(target);
                text.append(' ').append(needs == null ? "" : cell(needs, Occupancy.of(target))).append(" |");
            }
            text.append('\n');
        });
        return text.toString();
    }

    private static String cell(PtxCompiler.Resources needs, Occupancy limits) {
        int threads = needs.threads() == 0 ? USUAL_THREADS : needs.threads();
        return needs.registers() + (needs.sharedBytes() == 0 ? "" : ", " + needs.sharedBytes() + " B shared")
                + (needs.stackBytes() == 0 ? "" : ", " + needs.stackBytes() + " B stack") + ", "
                + limits.percent(threads, needs.registers(), needs.sharedBytes()) + " %";
    }

    @Test
    void tellsWhatAKernelNeeds() {
        String ptx = """
                .version 6.5
                .target sm_75
                .address_size 64
                .visible .entry reverse(.param .u64 values)
                .maxntid 32, 4, 1
                {
                    .reg .b32 %r<6>;
                    .reg .b64 %rd<4>;
                    .shared .align 4 .b8 tile[512];
                    ld.param.u64 %rd1, [values];
                    mov.u32 %r1, %tid.x;
                    mov.u32 %r2, tile;
                    shl.b32 %r3, %r1, 2;
                    add.s32 %r4, %r2, %r3;
                    ld.global.u32 %r5, [%rd1];
                    st.shared.u32 [%r4], %r5;
                    bar.sync 0;
                    ld.shared.u32 %r5, [tile];
                    st.global.u32 [%rd1], %r5;
                    ret;
                }
                """;
        PtxCompiler.Resources needs = PtxCompiler.compile("test", ptx, "sm_80").getFirst();
        assertEquals("reverse", needs.kernel());
        assertEquals(512, needs.sharedBytes());
        assertEquals(128, needs.threads());
        assertTrue(needs.registers() >= 4 && needs.registers() <= 32, needs.toString());
        assertEquals(0, needs.spillBytes());
    }

    @Test
    void refusesWhatADriverWouldRefuse() {
        String newer = ".version 9.0\n.target sm_75\n.address_size 64\n";
        IllegalArgumentException refused = assertThrows(IllegalArgumentException.class,
                () -> PtxCompiler.compile("new.ptx", newer, "sm_80"));
        assertTrue(refused.getMessage().startsWith("new.ptx does not compile for sm_80: "), refused.getMessage());
        assertTrue(refused.getMessage().contains("Unsupported .version 9.0"), refused.getMessage());
        assertThrows(IllegalArgumentException.class, () -> PtxCompiler.compile("x", "junk", "sm_80"));
    }

    /** Values of NVIDIA's occupancy calculator. */
    @Test
    void countsResidentBlocks() {
        Occupancy ampere = Occupancy.of("sm_80");
        assertEquals(100, ampere.percent(256, 32, 0));
        assertEquals(50, ampere.percent(256, 64, 0));
        assertEquals(12, ampere.percent(256, 255, 0));
        assertEquals(50, ampere.percent(1024, 33, 0));
        assertEquals(3, ampere.residentBlocks(128, 32, 48 << 10), "shared memory: 49 of 164 KiB each");
        assertEquals(32, ampere.residentBlocks(32, 32, 0));
        assertEquals(100, Occupancy.of("sm_75").percent(1024, 64, 0));
        assertEquals(1, Occupancy.of("sm_75").residentBlocks(128, 32, 48 << 10));
        assertEquals(4, Occupancy.of("sm_90").residentBlocks(128, 32, 48 << 10));
    }
}
