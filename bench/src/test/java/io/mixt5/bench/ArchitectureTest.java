package io.mixt5.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Holds the source tree to its plan: which module may know of which, and what lies at the top. */
class ArchitectureTest {
    /** The packages below {@code io.mixt5} that each module holds. */
    private static final Map<String, Set<String>> OWN = Map.of(
            "native", Set.of("ffm"),
            "engine", Set.of("engine"),
            "kernels", Set.of("kernels"),
            "model", Set.of("model"),
            "train", Set.of("train", "launcher"),
            "bench", Set.of("bench"));

    /** The packages that it may use beside its own. */
    private static final Map<String, Set<String>> USABLE = Map.of(
            "native", Set.of(),
            "engine", Set.of(),
            "kernels", Set.of("engine", "ffm"),
            "model", Set.of("engine"),
            "train", Set.of("model", "kernels", "engine"),
            "bench", Set.of("train", "model", "kernels", "engine", "ffm"));

    private static final Set<String> TOP = Set.of("pom.xml", "README.md", "LICENSE", "native", "engine", "kernels",
            "model", "train", "bench");

    private static final Pattern PACKAGE = Pattern.compile("^package io\\.mixt5\\.(\\w+)", Pattern.MULTILINE);
    private static final Pattern MENTION = Pattern.compile("\\bio\\.mixt5\\.([a-z]\\w*)");
    private static final Pattern NATIVE_CALL = Pattern
            .compile("\\bjava\\.lang\\.foreign\\.(Linker|SymbolLookup)\\b|\\bSystem\\.load(Library)?\\(");
    private static final Pattern WILDCARD = Pattern.compile("^import [^;]*\\*;", Pattern.MULTILINE);

    @Test
    void modulesKnowOnlyThoseBelowThem() throws IOException {
        List<String> wrong = new ArrayList<>();
        int files = 0;
        for (String module : OWN.keySet()) {
            for (Path file : sources(module)) {
                wrong.addAll(wrongWays(module, file.toString(), Files.readString(root().resolve(file))));
                files++;
            }
        }
        assertTrue(files >= OWN.size(), files + " source files: looked in the wrong place?");
        assertEquals(List.of(), wrong);
    }

    @Test
    void wrongWaysAreSeen() {
        String head = "package io.mixt5.engine.op;\n";
        assertEquals(List.of(), wrongWays("engine", "A.java", head + "import io.mixt5.engine.Tensor;\n"));
        assertEquals(List.of("A.java: engine must not know of io.mixt5.kernels"),
                wrongWays("engine", "A.java", head + "/** See {@link io.mixt5.kernels.cpu.Gemm}. */\n"));
        assertEquals(List.of("A.java: engine must not call native code"),
                wrongWays("engine", "A.java", head + "import java.lang.foreign.Linker;\n"));
        assertEquals(List.of("A.java: package io.mixt5.engine does not belong into model"),
                wrongWays("model", "A.java", head));
        assertEquals(List.of("A.java: model must not know of io.mixt5.train"),
                wrongWays("model", "A.java", "package io.mixt5.model;\nimport static io.mixt5.train.Main.main;\n"));
        String train = "package io.mixt5.train;\nimport io.mixt5.ffm.OpenBlas;\n";
        assertEquals(List.of("train/Run.java: train must not know of io.mixt5.ffm"),
                wrongWays("train", "train/Run.java", train));
        assertEquals(List.of(), wrongWays("train", "train/Doctor.java", train));
        assertEquals(List.of(), wrongWays("train", "train/doctor/Report.java", train));
    }

    @Test
    void importsNameOneClassEachAndNoFileHasTabs() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (String module : OWN.keySet()) {
            for (Path file : sources(module)) {
                String text = Files.readString(root().resolve(file));
                if (WILDCARD.matcher(text).find()) {
                    wrong.add(file + ": imports with *");
                }
                if (text.indexOf('\t') >= 0) {
                    wrong.add(file + ": has a tab");
                }
            }
        }
        assertEquals(List.of(), wrong);
    }

    @Test
    void topHoldsNothingElse() throws IOException {
        List<String> ignored;
        try (Stream<String> lines = Files.lines(root().resolve(".gitignore"))) {
            ignored = lines.map(line -> line.replaceFirst("/$", "")).filter(line -> !line.isBlank()).toList();
        }
        try (Stream<Path> entries = Files.list(root())) {
            assertEquals(List.of(), entries.map(Path::getFileName)
                    .filter(name -> !TOP.contains(name.toString()) && !name.toString().startsWith("."))
                    .filter(name -> ignored.stream().noneMatch(glob -> matches(glob, name)))
                    .toList());
        }
    }

    /** What {@code text}, a source file of {@code module}, does against the plan. */
    private static List<String> wrongWays(String module, String file, String text) {
        List<String> wrong = new ArrayList<>();
        Matcher declared = PACKAGE.matcher(text);
        if (declared.find() && !OWN.get(module).contains(declared.group(1))) {
            wrong.add(file + ": package io.mixt5." + declared.group(1) + " does not belong into " + module);
            return wrong;
        }
        // The doctor reports on native libraries and so may look at them.
        boolean doctor = module.equals("train") && file.toLowerCase().contains("doctor");
        MENTION.matcher(text).results().map(mention -> mention.group(1)).distinct().sorted()
                .filter(name -> !OWN.get(module).contains(name) && !USABLE.get(module).contains(name))
                .filter(name -> !(doctor && name.equals("ffm")))
                .forEach(name -> wrong.add(file + ": " + module + " must not know of io.mixt5." + name));
        if (module.equals("engine") && NATIVE_CALL.matcher(text).find()) {
            wrong.add(file + ": engine must not call native code");
        }
        return wrong;
    }

    /** The Java files of {@code module}, tests included, relative to the root. */
    private static List<Path> sources(String module) {
        Path root = root();
        try (Stream<Path> files = Files.walk(root.resolve(module).resolve("src"))) {
            return files.filter(file -> file.toString().endsWith(".java")).map(root::relativize).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The directory that holds the project: the nearest one above the working directory with a licence. */
    private static Path root() {
        Path directory = Path.of("").toAbsolutePath();
        while (!Files.exists(directory.resolve("LICENSE"))) {
            directory = directory.getParent();
        }
        return directory;
    }

    private static boolean matches(String glob, Path name) {
        return FileSystems.getDefault().getPathMatcher("glob:" + glob).matches(name);
    }
}
