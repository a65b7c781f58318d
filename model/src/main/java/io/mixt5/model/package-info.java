/**
 * T5 and its mixtures of experts, built from the engine's operations. {@link io.mixt5.model.T5Model} loads, saves and
 * runs a model of a {@link io.mixt5.model.T5Config}; {@link io.mixt5.model.T5Batch} is what a pass takes; {@link
 * io.mixt5.model.Generator} writes texts; {@link io.mixt5.model.Upcycling} makes a mixture of a dense model, as a
 * {@link io.mixt5.model.MixtureConfig} says. What the mixtures do is told by {@link io.mixt5.model.RoutingFigures},
 * added up by {@link io.mixt5.model.RoutingStatistics}, and how alike the experts are by {@link
 * io.mixt5.model.ExpertSimilarity}.
 *
 * <p>Threads: a model and all that is made from it belong to one thread at a time; two models may run at once on one
 * device. Configurations are set up by one thread and then only read.
 */
package io.mixt5.model;
