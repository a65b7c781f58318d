package io.mixt5.ffm.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import io.mixt5.ffm.NativeLibraries;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * Puts a {@link CudaDriver} of this process behind the stand-ins for {@code libcuda.so.1} and {@code libcublas.so.12},
 * so that {@link LibCuda}, JCuda and whatever else calls the C functions ends in it: for running CUDA code where there
 * is no GPU, and for making it fail at a chosen call.
 *
 * <p>The stand-ins are built by Maven into {@code native/target/standin}; system property {@code mixt5.cuda} has to name
 * the one for the driver, from the process's start on.
 *
 * <p>Nothing that a call throws reaches C: it is kept in {@link #thrown()}, and the caller gets its status.
 */
@SuppressWarnings("restricted")
public final class StandIn implements AutoCloseable {
    /** Those in place; the last one answers. */
    private static final Deque<StandIn> INSTALLED = new ArrayDeque<>();
    private static boolean saidUnavailable;

    private final Arena arena = Arena.ofShared();
    private final Faults faults = new Faults();
    private final List<Throwable> thrown = new ArrayList<>();
    private final List<Target> targets = new ArrayList<>();
    private final CapturedGraphs graphs = new CapturedGraphs();
    private final DriverUpcalls driverUpcalls;

    /** Where calls of one C function go, and the library's function that makes them go there. */
    private record Target(MethodHandle install, String name, MemorySegment stub) {
    }

    private StandIn(CudaDriver driver) {
        driverUpcalls = new DriverUpcalls(driver, graphs, arena);
        CublasUpcalls cublasUpcalls = new CublasUpcalls(driver, graphs);
        Path cuda = Path.of(System.getProperty("mixt5.cuda"));
        bind(driverUpcalls, NativeLibraries.open(cuda.toString()));
        bind(cublasUpcalls, NativeLibraries.open(cuda.resolveSibling("libcublas.so.12").toString()));
    }

    /** Why there is no stand-in here, as a sentence; null when there is one. */
    public static String unavailable() {
        String file = System.getProperty("mixt5.cuda");
        String remedy = "; Maven builds it as native/target/standin/libcuda.so.1 where there is a C compiler, and "
                + "system property mixt5.cuda has to name it";
        if (file == null) {
            return "There is no stand-in for CUDA's driver: no library is named" + remedy;
        }
        try {
            return NativeLibraries.open(file).find("mixt5_standin_install").isPresent()
                    ? null
                    : "There is no stand-in for CUDA's driver: " + file + " is another library" + remedy;
        } catch (IllegalArgumentException e) {
            return "There is no stand-in for CUDA's driver: " + file + ": " + e.getMessage() + remedy;
        }
    }

    /** Ends the calling test where there is no stand-in, and says so once on the standard output. */
    public static synchronized void assumeAvailable() {
        String unavailable = unavailable();
        if (unavailable != null) {
            if (!saidUnavailable) {
                System.out.println("NOT TESTED here is what runs through CUDA's libraries. " + unavailable);
                saidUnavailable = true;
            }
            Assumptions.abort(unavailable);
        }
    }

    /**
     * Puts a driver behind the stand-ins until {@link #close}. One that is already there is back afterwards.
     *
     * @throws IllegalStateException when there is no stand-in
     */
    public static synchronized StandIn install(CudaDriver driver) {
        String unavailable = unavailable();
        if (unavailable != null) {
            throw new IllegalStateException(unavailable);
        }
        StandIn standIn = new StandIn(driver);
        standIn.activate();
        INSTALLED.addLast(standIn);
        return standIn;
    }

    /**
     * Makes a call fail without its being carried out. With a status after which a real device is lost (700, 719 and
     * the like), every later call but those that touch no context fails likewise.
     *
     * @param function the C function, such as {@code cuMemAlloc_v2} or {@code cublasSgemm_v2}
     * @param nth which call of it from now on: 1 is the next
     * @param status what it returns, not 0
     */
    public void fail(String function, int nth, int status) {
        faults.plan(function, nth, status);
    }

    /** Makes the driver say that it is of another version, 1000 * major + 10 * minor. */
    public void pretendVersion(int version) {
        driverUpcalls.pretendVersion(version);
    }

    /** How often a C function has been called. */
    public long calls(String function) {
        return faults.calls(function);
    }

    /** How many kernels, copies and fills have been done by launches of graphs. */
    public long graphNodes() {
        return graphs.nodesRun();
    }

    /** How many graphs, executable graphs and captures there are, in this order. */
    public List<Integer> liveGraphs() {
        return graphs.live();
    }

    /** What the calls threw, in order; a call that {@link #fail} made fail threw nothing. */
    public List<Throwable> thrown() {
        synchronized (thrown) {
            return List.copyOf(thrown);
        }
    }

    /**
     * Takes the driver away: from now on there is the one before, or no device. No call may be under way.
     *
     * @throws IllegalStateException when another was installed later and is not closed
     */
    @Override
    public void close() {
        synchronized (StandIn.class) {
            if (!INSTALLED.contains(this)) {
                return;
            }
            if (INSTALLED.getLast() != this) {
                throw new IllegalStateException("close the driver that was put before this one first");
            }
            INSTALLED.removeLast();
            targets.forEach(target -> set(target.install, target.name, MemorySegment.NULL));
            if (!INSTALLED.isEmpty()) {
                INSTALLED.getLast().activate();
            }
            arena.close();
        }
    }

    private void activate() {
        targets.forEach(target -> set(target.install, target.name, target.stub));
    }

    /** Makes every public method of {@code upcalls} a target for the C function of its name. */
    private void bind(Object upcalls, SymbolLookup library) {
        MethodHandle install = Linker.nativeLinker().downcallHandle(
                library.find("mixt5_standin_install").orElseThrow(), FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));
        for (Method method : upcalls.getClass().getMethods()) {
            if (method.getDeclaringClass() == upcalls.getClass()) {
                MethodHandle guarded = guarded(method.getName(), handle(method, upcalls));
                MemorySegment stub = Linker.nativeLinker().upcallStub(guarded, descriptor(guarded.type()), arena);
                targets.add(new Target(install, method.getName(), stub));
            }
        }
    }

    private static void set(MethodHandle install, String name, MemorySegment target) {
        int unknown;
        try (Arena scratch = Arena.ofConfined()) {
            unknown = (int) install.invokeExact(scratch.allocateFrom(name), target);
        } catch (Throwable e) {
            throw Downcalls.unchecked(e);
        }
        if (unknown != 0) {
            throw new IllegalStateException("the stand-in hands on no function " + name);
        }
    }

    private static MethodHandle handle(Method method, Object receiver) {
        try {
            method.setAccessible(true);
            return MethodHandles.lookup().unreflect(method).bindTo(receiver);
        } catch (IllegalAccessException | InaccessibleObjectException e) {
            throw new IllegalStateException("cannot call " + method, e);
        }
    }

    /** The same call, which counts, fails where it shall, and throws nothing. */
    private MethodHandle guarded(String name, MethodHandle body) {
        MethodType type = body.type();
        int count = type.parameterCount();
        try {
            MethodHandle run = MethodHandles.lookup().findVirtual(StandIn.class, "run",
                    MethodType.methodType(int.class, String.class, MethodHandle.class, Object[].class));
            return MethodHandles.insertArguments(run, 0, this, name, body.asSpreader(Object[].class, count))
                    .asCollector(Object[].class, count).asType(type);
        } catch (NoSuchMethodException | IllegalAccessException e) {
            throw new AssertionError("its own method", e);
        }
    }

    private int run(String name, MethodHandle body, Object[] arguments) {
        try {
            int planned = faults.next(name);
            return planned != 0 ? planned : (int) body.invokeExact(arguments);
        } catch (Throwable e) {
            synchronized (thrown) {
                thrown.add(e);
            }
            if (name.startsWith("cublas")) {
                return CublasUpcalls.status(e);
            }
            return e instanceof CudaException cuda ? cuda.status() : CudaException.LAUNCH_FAILED;
        }
    }

    private static FunctionDescriptor descriptor(MethodType type) {
        MemoryLayout[] arguments = type.parameterList().stream().map(StandIn::layout).toArray(MemoryLayout[]::new);
        return FunctionDescriptor.of(layout(type.returnType()), arguments);
    }

    private static ValueLayout layout(Class<?> type) {
        return switch (type.getName()) {
            case "byte" -> ValueLayout.JAVA_BYTE;
            case "int" -> JAVA_INT;
            case "long" -> ValueLayout.JAVA_LONG;
            default -> throw new IllegalArgumentException("no layout for " + type);
        };
    }
}
