package io.mixt5.kernels.cuda;

import io.mixt5.engine.Device;
import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.kernels.emulator.Emulator;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;

/** An emulated GPU that notes what its driver is asked for. One thread at a time. */
public final class RecordedDevice {
    /** The call that reads from the device. */
    public static final String DOWNLOAD = "download";
    /** The call that waits for the device. */
    public static final String SYNCHRONIZE = "synchronize";

    private final List<String> calls = new ArrayList<>();
    private final Device device = Device.uncached(new CudaBackend("recorded", () -> recorded(new Emulator()), 0));

    /** The device. */
    public Device device() {
        return device;
    }

    /** The driver's calls in order: launches by the kernels' names, others by their own. Clear it at will. */
    public List<String> calls() {
        return calls;
    }

    private CudaDriver recorded(CudaDriver driver) {
        return (CudaDriver) Proxy.newProxyInstance(CudaDriver.class.getClassLoader(), new Class<?>[]{CudaDriver.class},
                (proxy, method, arguments) -> {
                    calls.add(method.getName().equals("launch") ? (String) arguments[1] : method.getName());
                    try {
                        return method.invoke(driver, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }
}
