package io.mixt5.ffm.cuda;

import java.util.HashMap;
import java.util.Map;

/** Which calls of the stand-in shall fail, and how often each function has been called. */
final class Faults {
    private final Map<String, Long> calls = new HashMap<>();
    private final Map<String, Map<Long, Integer>> planned = new HashMap<>();
    private int lost;

    synchronized void plan(String function, int nth, int status) {
        if (nth < 1 || status == CudaStatus.SUCCESS) {
            throw new IllegalArgumentException("call " + nth + " cannot fail with status " + status);
        }
        planned.computeIfAbsent(function, name -> new HashMap<>()).put(calls(function) + nth, status);
    }

    synchronized long calls(String function) {
        return calls.getOrDefault(function, 0L);
    }

    /** Counts a call and returns the status with which it fails, or 0 when it shall be carried out. */
    synchronized int next(String function) {
        long count = calls.merge(function, 1L, Long::sum);
        if (lost != 0 && touchesContext(function)) {
            return lost;
        }
        int status = planned.getOrDefault(function, Map.of()).getOrDefault(count, CudaStatus.SUCCESS);
        if (function.startsWith("cu") && !function.startsWith("cublas") && CudaStatus.losesDevice(status)) {
            lost = status;
        }
        return status;
    }

    private static boolean touchesContext(String function) {
        return !(function.equals("cuInit") || function.equals("cuDriverGetVersion")
                || function.equals("cuGetErrorName") || function.startsWith("cuDevice"));
    }
}
