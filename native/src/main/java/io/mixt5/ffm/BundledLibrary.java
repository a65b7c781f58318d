package io.mixt5.ffm;

import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URISyntaxException;
import java.net.URL;
import java.net.URLConnection;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;

/**
 * Unpacks native libraries that lie as resources inside a jar on the class path, so that the dynamic linker can open
 * them.
 *
 * <p>The files of one bundle go side by side into one directory of a private cache (so that a library finds its own
 * dependencies through {@code $ORIGIN}), which is named after the content's size and CRC: another version of the jar
 * gets another directory. A file is written under another name first and renamed atomically, so that processes which
 * start at once, or are killed while writing, never leave half a library where another would load it.
 *
 * <p>The cache is {@code $XDG_CACHE_HOME/mixt5} or {@code ~/.cache/mixt5}; system property {@code mixt5.cache}
 * overrides it. It has to belong to this process's user and be writable by nobody else, since code is loaded from it.
 */
public final class BundledLibrary {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private BundledLibrary() {
    }

    /**
     * Unpacks {@code main} and those of {@code companions} that exist, unless the cache already holds them.
     *
     * @param folder resource folder without a leading slash, such as {@code org/bytedeco/openblas/linux-x86_64}
     * @return the path of the unpacked {@code main}, or null when the class path has no such resource
     * @throws IOException when the cache cannot be written or is not private
     */
    public static Path unpack(String folder, String main, List<String> companions) throws IOException {
        URL url = resource(folder, main);
        if (url == null) {
            return null;
        }
        if (url.getProtocol().equals("file")) {
            return file(url);
        }
        Path directory = privateDirectory(cache().resolve("native").resolve(main + "-" + fingerprint(url)));
        for (String companion : companions) {
            URL companionUrl = resource(folder, companion);
            if (companionUrl != null) {
                place(companionUrl, directory.resolve(companion));
            }
        }
        return place(url, directory.resolve(main));
    }

    private static URL resource(String folder, String name) {
        return BundledLibrary.class.getClassLoader().getResource(folder + "/" + name);
    }

    private static Path file(URL url) throws IOException {
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IOException("cannot read " + url, e);
        }
    }

    private static Path cache() {
        String property = System.getProperty("mixt5.cache");
        if (property != null) {
            return Path.of(property);
        }
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path base = xdg == null || xdg.isEmpty() ? Path.of(System.getProperty("user.home"), ".cache") : Path.of(xdg);
        return base.resolve("mixt5");
    }

    /** Size and CRC-32 from the jar's directory: tells versions apart without inflating tens of megabytes. */
    private static String fingerprint(URL url) throws IOException {
        JarEntry entry = entry(url);
        return Long.toHexString(entry.getSize()) + "-" + Long.toHexString(entry.getCrc());
    }

    private static JarEntry entry(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        if (connection instanceof JarURLConnection jar) {
            return jar.getJarEntry();
        }
        throw new IOException("cannot unpack from " + url + ": not inside a jar");
    }

    private static Path privateDirectory(Path directory) throws IOException {
        if (!directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            return Files.createDirectories(directory);
        }
        Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        PosixFileAttributes attributes = Files.readAttributes(directory, PosixFileAttributes.class,
                LinkOption.NOFOLLOW_LINKS);
        Path probe = Files.createTempFile(directory, "probe", ".part");
        UserPrincipal self = Files.getOwner(probe);
        Files.delete(probe);
        Set<PosixFilePermission> permissions = attributes.permissions();
        if (!attributes.isDirectory() || !attributes.owner().equals(self)
                || permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE)) {
            throw new IOException("cache directory " + directory + " is not private to user " + self.getName());
        }
        return directory;
    }

    private static Path place(URL source, Path target) throws IOException {
        long size = entry(source).getSize();
        if (Files.isRegularFile(target) && Files.size(target) == size) {
            return target;
        }
        Path aside = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".part");
        try {
            try (InputStream in = source.openStream()) {
                Files.copy(in, aside, StandardCopyOption.REPLACE_EXISTING);
            }
            try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            if (Files.size(aside) != size) {
                throw new IOException("unpacked " + Files.size(aside) + " of " + size + " bytes of " + source);
            }
            move(aside, target);
        } finally {
            Files.deleteIfExists(aside);
        }
        return target;
    }

    private static void move(Path aside, Path target) throws IOException {
        try {
            Files.move(aside, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(aside, target, StandardCopyOption.REPLACE_EXISTING);
        } catch (FileAlreadyExistsException e) {
            // Another process placed the same content first; file systems that refuse to replace say so.
            return;
        }
    }
}
