package io.mixt5.launcher;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;

/** An installed Java runtime, known by its {@code release} file alone: nothing is started to ask it. */
final class Jdk {
    private final Path java;
    private final String version;

    private Jdk(Path java, String version) {
        this.java = java;
        this.version = version;
    }

    /** The runtime installed in {@code home}; empty if there is none, or one that was built without the Vector API. */
    static Optional<Jdk> in(Path home) {
        Properties release = new Properties();
        try (BufferedReader reader = Files.newBufferedReader(home.resolve("release"), StandardCharsets.UTF_8)) {
            release.load(reader);
        } catch (IOException | IllegalArgumentException e) {
            return Optional.empty(); // not a Java home, or one that we may not look into
        }
        String version = unquote(release.getProperty("JAVA_VERSION", ""));
        String modules = unquote(release.getProperty("MODULES", "jdk.incubator.vector"));
        if (feature(version) == 0 || !(" " + modules + " ").contains(" jdk.incubator.vector ")) {
            return Optional.empty();
        }
        for (String name : new String[]{"java", "java.exe"}) {
            Path java = home.resolve("bin").resolve(name);
            if (Files.isExecutable(java)) {
                return Optional.of(new Jdk(java, version));
            }
        }
        return Optional.empty();
    }

    /** The program that starts it. */
    Path java() {
        return java;
    }

    /** Its version as it states it, such as {@code 25.0.3}. */
    String version() {
        return version;
    }

    /** The number that Java versions are called by: 25 of "25.0.3", 26 of "26-ea", 8 of "1.8.0_392"; 0 if none. */
    static int feature(String version) {
        String digits = version.replaceFirst("^1\\.", "").replaceFirst("\\D.*", "");
        return digits.isEmpty() || digits.length() > 4 ? 0 : Integer.parseInt(digits);
    }

    private static String unquote(String value) {
        return value.replace("\"", "").trim();
    }
}
