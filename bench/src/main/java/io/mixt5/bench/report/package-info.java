/** What benchmark results come to: pages, tables, comparisons. */
package io.mixt5.bench.report;
