#include "jobs/payload_mark.hpp"

#include "aiserve/jobs/job_reader.hpp"

namespace aiserve::inline v0::detail {
namespace {

constexpr std::string_view kMark = JobReader::kReferenceMark;
constexpr std::string_view kEscape{
    "\x84\x7d\xc5\x01\x73\x44\xea\xce\xf7\xd0\x64\x39\x7a\x60\xe9\x56", 16};

}  // namespace

Bytes reference_to(std::string_view name) {
  return Bytes::adopt(std::string(kMark) + std::string(name));
}

std::optional<std::string> referred_by(const Bytes& stored) {
  const std::string_view text = stored.text();
  const bool refers = text.starts_with(kMark) && text.size() > kMark.size() &&
                      text.size() <= JobReader::kLongestReference;
  if (!refers) return std::nullopt;
  return std::string(text.substr(kMark.size()));
}

Bytes escaped(const Bytes& payload) {
  const std::string_view text = payload.text();
  if (!text.starts_with(kMark) && !text.starts_with(kEscape)) return payload;
  return Bytes::adopt(std::string(kEscape) + std::string(text));
}

Bytes unescaped(const Bytes& stored) {
  return stored.text().starts_with(kEscape) ? stored.slice(kEscape.size()) : stored;
}

std::vector<NewJob> escaped(std::span<const NewJob> jobs) {
  std::vector<NewJob> ours(jobs.begin(), jobs.end());
  for (NewJob& job : ours) job.input = escaped(job.input);
  return ours;
}

}  // namespace aiserve::inline v0::detail
