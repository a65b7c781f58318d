package io.mixt5.bench;

import io.mixt5.engine.Tensor;
import io.mixt5.engine.UserException;
import io.mixt5.ffm.cuda.CudaDriver;
import io.mixt5.ffm.cuda.LibCuda;
import io.mixt5.kernels.cuda.JCudaNatives;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnActivationDescriptor;
import jcuda.jcudnn.cudnnActivationMode;
import jcuda.jcudnn.cudnnDataType;
import jcuda.jcudnn.cudnnHandle;
import jcuda.jcudnn.cudnnIndicesType;
import jcuda.jcudnn.cudnnNanPropagation;
import jcuda.jcudnn.cudnnOpTensorDescriptor;
import jcuda.jcudnn.cudnnOpTensorOp;
import jcuda.jcudnn.cudnnReduceTensorDescriptor;
import jcuda.jcudnn.cudnnReduceTensorIndices;
import jcuda.jcudnn.cudnnReduceTensorOp;
import jcuda.jcudnn.cudnnTensorDescriptor;
import jcuda.jcudnn.cudnnTensorFormat;

/**
 * NVIDIA's cuDNN 8 through JCudnn, on the engine's own tensors, F32: what it has that a T5 needs as it is. Its attention
 * knows no relative positions, its dropout draws other numbers, its softmax does not end in a loss.
 *
 * <p>It works in the default stream, which does not wait for the engine's: let the engine's work be done before.
 */
final class Cudnn implements AutoCloseable {
    /** The newest published. */
    private static final String VERSION = "11.7.0";
    private static final long DEFAULT_STREAM = 0;
    private static final double TOLERANCE = 1e-3;

    private final CudaDriver driver = LibCuda.driver();
    private final cudnnHandle handle = new cudnnHandle();
    private final cudnnActivationDescriptor relu = new cudnnActivationDescriptor();
    private final cudnnOpTensorDescriptor add = new cudnnOpTensorDescriptor();
    private final cudnnReduceTensorDescriptor norm = new cudnnReduceTensorDescriptor();
    private final cudnnTensorDescriptor whole;
    private final cudnnTensorDescriptor one;
    private final Pointer factor = Pointer.to(new float[]{1});
    private final Pointer none = Pointer.to(new float[]{0});
    private final long word;
    private final long workspaceBytes;
    private final long workspace;

    /** Device memory, for JCuda. */
    private static final class DevicePointer extends Pointer {
        DevicePointer(Tensor tensor) {
            this(tensor.address());
        }

        DevicePointer(long address) {
            super(address);
        }
    }

    /** An op from inputs to an output. */
    interface Op {
        void run(List<Tensor> inputs, Tensor output);
    }

    /** For tensors of the shape of {@code like}, which is on {@code device}; see {@link #requireUsable}. */
    Cudnn(DeviceState device, Tensor like) {
        JCudnn.setExceptionsEnabled(true);
        // Makes the device's context current, which cuDNN goes by.
        device.await(like);
        JCudnn.cudnnCreate(handle);
        whole = descriptor(Math.toIntExact(like.shape().rows()), Math.toIntExact(like.shape().columns()));
        one = descriptor(1, 1);
        JCudnn.cudnnCreateActivationDescriptor(relu);
        JCudnn.cudnnSetActivationDescriptor(relu, cudnnActivationMode.CUDNN_ACTIVATION_RELU,
                cudnnNanPropagation.CUDNN_PROPAGATE_NAN, 0);
        JCudnn.cudnnCreateOpTensorDescriptor(add);
        JCudnn.cudnnSetOpTensorDescriptor(add, cudnnOpTensorOp.CUDNN_OP_TENSOR_ADD, cudnnDataType.CUDNN_DATA_FLOAT,
                cudnnNanPropagation.CUDNN_PROPAGATE_NAN);
        JCudnn.cudnnCreateReduceTensorDescriptor(norm);
        JCudnn.cudnnSetReduceTensorDescriptor(norm, cudnnReduceTensorOp.CUDNN_REDUCE_TENSOR_NORM2,
                cudnnDataType.CUDNN_DATA_FLOAT, cudnnNanPropagation.CUDNN_PROPAGATE_NAN,
                cudnnReduceTensorIndices.CUDNN_REDUCE_TENSOR_NO_INDICES, cudnnIndicesType.CUDNN_32BIT_INDICES);
        long[] bytes = new long[1];
        JCudnn.cudnnGetReductionWorkspaceSize(handle, norm, whole, one, bytes);
        workspaceBytes = bytes[0];
        workspace = driver.allocate(Math.max(1, workspaceBytes));
        word = driver.allocateHost(Float.BYTES);
    }

    /** Ends the benchmark with one sentence, where there is no GPU or no cuDNN. */
    static void requireUsable(DeviceState on) {
        if (!on.device.startsWith("cuda")) {
            throw notRun("it needs a GPU, which -p device=cuda names, and this is device " + on.device);
        }
        String missing = JCudaNatives.load("JCudnn", VERSION, JCudnn::initialize);
        if (missing != null) {
            throw notRun(missing + "; install NVIDIA's cuDNN 8 for CUDA 12 where the dynamic linker finds it");
        }
    }

    private static UserException notRun(String why) {
        UserException reason = new UserException("Not run, as cuDNN cannot be used: " + why);
        // JMH would print where this was thrown, which helps nobody.
        reason.setStackTrace(new StackTraceElement[0]);
        return reason;
    }

    private static cudnnTensorDescriptor descriptor(int rows, int columns) {
        cudnnTensorDescriptor descriptor = new cudnnTensorDescriptor();
        JCudnn.cudnnCreateTensorDescriptor(descriptor);
        JCudnn.cudnnSetTensor4dDescriptor(descriptor, cudnnTensorFormat.CUDNN_TENSOR_NCHW,
                cudnnDataType.CUDNN_DATA_FLOAT, rows, columns, 1, 1);
        return descriptor;
    }

    /** The ops by the names of the engine's cases. */
    Map<String, Op> ops() {
        return Map.of(
                "add", (in, sum) -> JCudnn.cudnnOpTensor(handle, add, factor, whole, new DevicePointer(in.get(0)),
                        factor, whole, new DevicePointer(in.get(1)), none, whole, new DevicePointer(sum)),
                "relu", (in, y) -> JCudnn.cudnnActivationForward(handle, relu, factor, whole,
                        new DevicePointer(in.get(0)), none, whole, new DevicePointer(y)),
                "grad_norm", (in, root) -> JCudnn.cudnnReduceTensor(handle, norm, new Pointer(), 0,
                        new DevicePointer(workspace), workspaceBytes, factor, whole, new DevicePointer(in.get(0)), none,
                        one, new DevicePointer(root)));
    }

    /** The gradient of relu's input from its output, the output's gradient and the input. */
    void reluBackward(Tensor y, Tensor dy, Tensor x, Tensor dx) {
        JCudnn.cudnnActivationBackward(handle, relu, factor, whole, new DevicePointer(y), whole, new DevicePointer(dy),
                whole, new DevicePointer(x), none, whole, new DevicePointer(dx));
    }

    /** Waits until {@code result} is there, and reads as much of it as {@link DeviceState#await} does. */
    void await(Tensor result) {
        driver.download(result.address(), word, Float.BYTES, DEFAULT_STREAM);
        driver.synchronize(DEFAULT_STREAM);
    }

    /** Throws unless cuDNN's numbers are the engine's: a comparison of times is worth nothing otherwise. */
    static void check(String op, Tensor expected, Tensor found) {
        float[] right = expected.toFloats();
        float[] theirs = found.toFloats();
        for (int i = 0; i < right.length; i++) {
            if (!(Math.abs(theirs[i] - right[i]) <= TOLERANCE * Math.max(1, Math.abs(right[i])))) {
                throw new AssertionError(op + " of cuDNN gives " + theirs[i] + " at " + i + ", not " + right[i]);
            }
        }
    }

    @Override
    public void close() {
        driver.freeHost(word);
        driver.free(workspace);
        JCudnn.cudnnDestroyReduceTensorDescriptor(norm);
        JCudnn.cudnnDestroyOpTensorDescriptor(add);
        JCudnn.cudnnDestroyActivationDescriptor(relu);
        JCudnn.cudnnDestroyTensorDescriptor(one);
        JCudnn.cudnnDestroyTensorDescriptor(whole);
        JCudnn.cudnnDestroy(handle);
    }
}
