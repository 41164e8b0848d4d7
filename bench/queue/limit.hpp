// What SQLite gives when it is driven by hand: the floors.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// Jobs per second of a loop on one thread; one transaction finishes, inserts and claims `group`.
double limit_jobs_per_s(const std::string& file, int jobs, int group);
/// Seconds of each of `count` single INSERTs with their COMMIT.
std::vector<double> bare_commit_seconds(const std::string& file, int count);

}  // namespace bench
