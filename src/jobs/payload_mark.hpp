// How a stored payload says what it is: itself, or a reference to an object. What would be taken
// for one of the marks by chance is escaped.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aiserve/core/bytes.hpp"
#include "aiserve/jobs/job.hpp"

namespace aiserve::inline v0::detail {

Bytes reference_to(std::string_view name);
/// The name of the object, if it is a reference.
std::optional<std::string> referred_by(const Bytes& stored);
/// Of a payload that is stored itself.
Bytes escaped(const Bytes& payload);
Bytes unescaped(const Bytes& stored);
/// Jobs with inputs as they come from the host, past the queue.
std::vector<NewJob> escaped(std::span<const NewJob> jobs);

}  // namespace aiserve::inline v0::detail
