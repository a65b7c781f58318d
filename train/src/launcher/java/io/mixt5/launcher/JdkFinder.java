package io.mixt5.launcher;

import java.io.File;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Finds a JDK that can run MixT5: the one asked for, else the running one, else one of those installed. */
final class JdkFinder {
    /** The oldest Java version that runs MixT5. */
    static final int OLDEST = 25;

    /** Where a home lies below a directory named for its JDK: on most systems, on macOS, in a Homebrew keg. */
    private static final String[] HOMES = {"", "Contents/Home", "libexec/openjdk.jdk/Contents/Home"};

    private final Map<String, String> environment;
    private final Path runningHome;
    private final List<Path> places;

    /**
     * A finder that looks into given places.
     *
     * @param environment environment variables; {@code MIXT5_JAVA} names the JDK to use,
     *                    {@code JAVA_HOME} one to prefer
     * @param runningHome home of the running JVM
     * @param places      directories that hold one JDK per subdirectory; those that do not exist are passed over
     */
    JdkFinder(Map<String, String> environment, Path runningHome, List<Path> places) {
        this.environment = environment;
        this.runningHome = runningHome;
        this.places = places;
    }

    /** A finder that looks where JDKs are usually installed. */
    static JdkFinder ofThisMachine() {
        Path user = Paths.get(System.getProperty("user.home"));
        List<Path> places = new ArrayList<>();
        for (String place : new String[]{"/usr/lib/jvm", "/usr/lib64/jvm", "/usr/java", "/usr/local/java", "/opt",
                "/opt/java", "/Library/Java/JavaVirtualMachines", "/opt/homebrew/opt"}) {
            places.add(Paths.get(place));
        }
        for (String place : new String[]{".sdkman/candidates/java", ".jdks", ".gradle/jdks", ".asdf/installs/java",
                ".local/share/mise/installs/java", "Library/Java/JavaVirtualMachines"}) {
            places.add(user.resolve(place));
        }
        String programs = System.getenv("ProgramFiles");
        if (programs != null) {
            for (String place : new String[]{"Java", "Eclipse Adoptium", "Microsoft", "Zulu", "Amazon Corretto",
                    "BellSoft"}) {
                places.add(Paths.get(programs, place));
            }
        }
        return new JdkFinder(System.getenv(), Paths.get(System.getProperty("java.home")), places);
    }

    /**
     * The JDK to use: {@code MIXT5_JAVA} if set, else the running one, {@code JAVA_HOME}, or the installed one whose
     * version is nearest to {@link #OLDEST}, of those the first found.
     *
     * @throws NoJdkException if none will do; the message says what to install
     */
    Jdk find() throws NoJdkException {
        String wanted = environment.getOrDefault("MIXT5_JAVA", "");
        if (!wanted.isEmpty()) {
            return usable(home(Paths.get(wanted))).orElseThrow(() -> new NoJdkException("MIXT5_JAVA is " + wanted
                    + ", which is not the home of a JDK " + OLDEST + " or later: correct or unset it."));
        }
        List<Path> preferred = new ArrayList<>();
        preferred.add(runningHome);
        String javaHome = environment.getOrDefault("JAVA_HOME", "");
        if (!javaHome.isEmpty()) {
            preferred.add(Paths.get(javaHome));
        }
        for (Path home : preferred) {
            Optional<Jdk> jdk = usable(home);
            if (jdk.isPresent()) {
                return jdk.get();
            }
        }
        Jdk nearest = null;
        for (Path home : installed()) {
            Jdk jdk = usable(home).orElse(null);
            if (jdk != null && (nearest == null || Jdk.feature(jdk.version()) < Jdk.feature(nearest.version()))) {
                nearest = jdk;
            }
        }
        if (nearest == null) {
            throw new NoJdkException("MixT5 needs a JDK " + OLDEST + " or later; this is Java "
                    + System.getProperty("java.version") + ", and neither JAVA_HOME nor " + existing()
                    + " has one: install one, or name its home in MIXT5_JAVA.");
        }
        return nearest;
    }

    private static Optional<Jdk> usable(Path home) {
        return Jdk.in(home).filter(jdk -> Jdk.feature(jdk.version()) >= OLDEST);
    }

    /** The home that {@code path} means: itself, or two up from a {@code bin/java}, links followed. */
    private static Path home(Path path) {
        try {
            Path real = path.toRealPath();
            return Files.isDirectory(real) ? real : real.getParent().getParent();
        } catch (IOException e) {
            return path;
        }
    }

    private List<Path> installed() {
        List<Path> homes = new ArrayList<>();
        for (Path place : places) {
            List<Path> below = new ArrayList<>();
            try (DirectoryStream<Path> directories = Files.newDirectoryStream(place)) {
                directories.forEach(below::add);
            } catch (IOException e) {
                continue; // no such place here
            }
            Collections.sort(below); // the same choice wherever the same JDKs are installed
            for (Path directory : below) {
                for (String home : HOMES) {
                    homes.add(directory.resolve(home));
                }
            }
        }
        return homes;
    }

    private String existing() {
        List<String> names = new ArrayList<>();
        for (Path place : places) {
            if (Files.isDirectory(place)) {
                names.add(place.toString());
            }
        }
        return names.isEmpty() ? "any of the usual places" : String.join(File.pathSeparator, names);
    }

    /** No JDK that can run MixT5 was found; the message is one sentence for the user. */
    static final class NoJdkException extends Exception {
        private static final long serialVersionUID = 1;

        NoJdkException(String message) {
            super(message);
        }
    }
}
