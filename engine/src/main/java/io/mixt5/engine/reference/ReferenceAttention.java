package io.mixt5.engine.reference;

import io.mixt5.engine.Gradients.Target;
import io.mixt5.engine.Tensor;
import io.mixt5.engine.op.Attention;
import io.mixt5.engine.op.Attention.Spec;
import io.mixt5.engine.op.RelativePosition;
import io.mixt5.engine.op.SequenceLayout;

/** {@link Attention} by its definition, one query of one head at a time. */
public final class ReferenceAttention extends ReferenceKernel implements Attention.Kernel {
    /** One query of one head: what its row of weights is made of. */
    private record Row(Tensor q, Tensor k, Tensor table, Spec spec, int sequence, int query, int head) {
        int keys() {
            int count = spec.layout().keyCount()[sequence];
            return spec.causal() ? Math.min(count, position() + 1) : count;
        }

        int position() {
            return spec.layout().queryPosition()[sequence] + query;
        }

        int queryRow() {
            return spec.layout().queryStart()[sequence] + query;
        }

        int keyRow(int key) {
            return spec.layout().keyStart()[sequence] + key;
        }

        int bucket(int key) {
            return RelativePosition.bucket(key - position(), spec.bidirectional(), (int) table.shape().dim(0),
                    spec.maxDistance());
        }

        double score(int key) {
            double sum = table == null ? 0 : table.get((long) bucket(key) * spec.heads() + head);
            return sum + dot(q, queryRow(), k, keyRow(key), spec.heads(), head);
        }

        float dropFactor(int key) {
            return spec.dropout().factor(((long) queryRow() * spec.heads() + head) * spec.layout().keyStride() + key);
        }
    }

    private static double dot(Tensor a, int rowA, Tensor b, int rowB, int heads, int head) {
        long width = a.shape().columns();
        double sum = 0;
        for (long i = head * width / heads; i < (head + 1) * width / heads; i++) {
            sum += a.get(rowA * width + i) * b.get(rowB * width + i);
        }
        return sum;
    }

    private interface Visitor {
        void visit(Row row);
    }

    private static void forEachRow(Tensor q, Tensor k, Tensor table, Spec spec, Visitor visitor) {
        SequenceLayout layout = spec.layout();
        for (int b = 0; b < layout.sequences(); b++) {
            for (int i = 0; i < layout.queryCount()[b]; i++) {
                for (int head = 0; head < spec.heads(); head++) {
                    visitor.visit(new Row(q, k, table, spec, b, i, head));
                }
            }
        }
    }

    @Override
    public void forward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse) {
        long width = q.shape().columns();
        out.zero();
        forEachRow(q, k, table, spec, row -> {
            double max = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < row.keys(); j++) {
                max = Math.max(max, row.score(j));
            }
            double sum = 0;
            for (int j = 0; j < row.keys(); j++) {
                sum += Math.exp(row.score(j) - max);
            }
            double logSum = sum == 0 ? Double.NEGATIVE_INFINITY : max + Math.log(sum);
            lse.set((long) row.queryRow() * spec.heads() + row.head, logSum);
            for (long i = row.head * width / spec.heads(); i < (row.head + 1) * width / spec.heads(); i++) {
                double value = 0;
                for (int j = 0; j < row.keys(); j++) {
                    value += Math.exp(row.score(j) - logSum) * row.dropFactor(j) * v.get(row.keyRow(j) * width + i);
                }
                out.set(row.queryRow() * width + i, value);
            }
        });
    }

    @Override
    public void backward(Tensor q, Tensor k, Tensor v, Tensor table, Spec spec, Tensor out, Tensor lse, Tensor dout,
            Target dq,
            Target dk, Target dv, Target dtable) {
        long width = q.shape().columns();
        double[] q1 = zeros(dq);
        double[] k1 = zeros(dk);
        double[] v1 = zeros(dv);
        double[] table1 = zeros(dtable);
        forEachRow(q, k, table, spec, row -> {
            double logSum = lse.get((long) row.queryRow() * spec.heads() + row.head);
            double[] weights = new double[row.keys()];
            double[] gradients = new double[row.keys()];
            double mean = 0;
            for (int j = 0; j < row.keys(); j++) {
                weights[j] = Math.exp(row.score(j) - logSum);
                gradients[j] = row.dropFactor(j)
                        * dot(dout, row.queryRow(), v, row.keyRow(j), spec.heads(), row.head);
                mean += weights[j] * gradients[j];
            }
            for (int j = 0; j < row.keys(); j++) {
                double dScore = weights[j] * (gradients[j] - mean);
                for (long i = row.head * width / spec.heads(); i < (row.head + 1) * width / spec.heads(); i++) {
                    long at = row.queryRow() * width + i;
                    long key = row.keyRow(j) * width + i;
                    add(q1, at, dScore * k.get(key));
                    add(k1, key, dScore * q.get(at));
                    add(v1, key, weights[j] * row.dropFactor(j) * dout.get(at));
                }
                add(table1, table == null ? 0 : (long) row.bucket(j) * spec.heads() + row.head, dScore);
            }
        });
        put(dq, q1);
        put(dk, k1);
        put(dv, v1);
        put(dtable, table1);
    }

    /** Sums are kept in double and rounded to the gradient's type once. Null for a null target. */
    private static double[] zeros(Target target) {
        return target == null ? null : new double[(int) target.tensor().count()];
    }

    private static void add(double[] sums, long index, double value) {
        if (sums != null) {
            sums[(int) index] += value;
        }
    }

    private static void put(Target target, double[] sums) {
        for (int i = 0; target != null && i < sums.length; i++) {
            put(target, i, sums[i]);
        }
    }
}
