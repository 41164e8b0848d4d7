/// The grammar of metric and label names, and their escaping (Prometheus text format 0.0.4).
#pragma once

#include <aiserve/core/metrics.hpp>

#include <string>
#include <string_view>

namespace aiserve::inline v0::detail {

/// Throws ConfigError unless `name` is [a-zA-Z_:][a-zA-Z0-9_:]*.
void check_metric_name(std::string_view name);
/// Throws ConfigError unless each name is [a-zA-Z_][a-zA-Z0-9_]*, not reserved ("__...", "le") and
/// there once. `extra` (or empty) is the name of one more label.
void check_labels(std::string_view metric, const Labels& labels, std::string_view extra = {});

/// Appends the text with backslash and line feed escaped, in label values quotes as well; invalid
/// UTF-8 becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text, bool quotes);

}  // namespace aiserve::inline v0::detail
