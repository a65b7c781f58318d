package io.mixt5.launcher;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class JdkFinderTest {
    private static final String MODULES = "java.base jdk.incubator.vector jdk.jfr";

    @TempDir
    private Path root;
    private Path old;
    private Path place;

    @BeforeEach
    void makePlaces() throws IOException {
        old = jdk("running", "17.0.15", MODULES);
        place = Files.createDirectory(root.resolve("place"));
    }

    @ParameterizedTest
    @CsvSource({"25.0.3,25", "25,25", "26-ea,26", "1.8.0_392,8", "17.0.15,17", "'',0", "x,0", "99999999999,0"})
    void featureIsWhatTheVersionIsCalledBy(String version, int feature) {
        assertEquals(feature, Jdk.feature(version));
    }

    @Test
    void runningJvmIsTakenIfNewEnough() throws Exception {
        Path running = jdk("new", "25.0.1", MODULES);
        Path other = jdk("place/other", "25.0.9", MODULES);
        assertEquals(java(running), find(Map.of("JAVA_HOME", other.toString()), running));
    }

    @Test
    void javaHomeIsTakenBeforeTheUsualPlaces() throws Exception {
        Path home = jdk("home", "26", MODULES);
        jdk("place/other", "25", MODULES);
        assertEquals(java(home), find(Map.of("JAVA_HOME", home.toString()), old));
    }

    @Test
    void oldJavaHomeIsPassedOver() throws Exception {
        Path other = jdk("place/other", "25", MODULES);
        assertEquals(java(other), find(Map.of("JAVA_HOME", old.toString()), old));
    }

    @Test
    void wantedJdkIsTakenBeforeAll() throws Exception {
        Path wanted = jdk("wanted", "25", MODULES);
        Path running = jdk("new", "25", MODULES);
        assertEquals(java(wanted).toRealPath(), find(Map.of("MIXT5_JAVA", wanted.toString()), running).toRealPath());
        String program = java(wanted).toString();
        assertEquals(java(wanted).toRealPath(), find(Map.of("MIXT5_JAVA", program), running).toRealPath());
    }

    @Test
    void wantedJdkThatIsTooOldIsRefused() {
        var e = assertThrows(JdkFinder.NoJdkException.class, () -> find(Map.of("MIXT5_JAVA", old.toString()), old));
        assertEquals("MIXT5_JAVA is " + old + ", which is not the home of a JDK 25 or later: correct or unset it.",
                e.getMessage());
    }

    @Test
    void nearestVersionOfTheInstalledIsTaken() throws Exception {
        jdk("place/a", "27", MODULES);
        Path nearest = jdk("place/b", "25.0.3", MODULES);
        jdk("place/c", "26", MODULES);
        jdk("place/d", "21", MODULES);
        assertEquals(java(nearest), find(Map.of(), old));
    }

    @Test
    void bundlesOfMacOsAreSeen() throws Exception {
        Path home = jdk("place/temurin-25.jdk/Contents/Home", "25.0.3", MODULES);
        assertEquals(java(home), find(Map.of(), old));
    }

    @Test
    void homesThatCannotServeArePassedOver() throws Exception {
        jdk("place/no-vector", "25", "java.base java.logging");
        Files.delete(java(jdk("place/no-program", "25", MODULES)));
        Files.createDirectories(root.resolve("place/empty"));
        Files.writeString(Files.createDirectories(root.resolve("place/broken")).resolve("release"), "\\uZZZZ");
        Path good = jdk("place/z", "25", MODULES);
        assertEquals(java(good), find(Map.of(), old));
    }

    @Test
    void nothingFoundSaysWhereItLooked() {
        var e = assertThrows(JdkFinder.NoJdkException.class, () -> find(Map.of(), old));
        assertTrue(e.getMessage().startsWith("MixT5 needs a JDK 25 or later; "), e.getMessage());
        assertTrue(e.getMessage().contains(place.toString()), e.getMessage());
        assertTrue(!e.getMessage().contains("missing"), e.getMessage());
    }

    private Path find(Map<String, String> environment, Path running) throws JdkFinder.NoJdkException {
        return new JdkFinder(environment, running, List.of(root.resolve("missing"), place)).find().java();
    }

    private Path jdk(String name, String version, String modules) throws IOException {
        Path home = Files.createDirectories(root.resolve(name));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"Test\"\nJAVA_VERSION=\"" + version + "\"\nMODULES=\""
                + modules + "\"\n");
        Files.createDirectory(home.resolve("bin"));
        Path java = Files.createFile(java(home));
        assertTrue(java.toFile().setExecutable(true));
        return home;
    }

    private static Path java(Path home) {
        return home.resolve("bin").resolve("java");
    }
}
