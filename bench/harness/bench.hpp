// The frame of every benchmark: groups of keys, measured round by round. A round measures all
// alternatives of its group one after the other, so that ratios compare neighbours in time; the
// median over the rounds is what is reported.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct Options {
  bool quick = false;
  std::string only;                          // regular expression over full keys; empty: all
  std::string json;                          // file; empty: none
  std::map<std::string, std::string> extra;  // what the program itself asked for

  int rounds() const noexcept { return quick ? 3 : 5; }
};

/// What one round measured. A key that is not set in a round is left out of the report.
class Sample {
 public:
  void set(const std::string& key, double value) { values_[key] = value; }
  /// A percentile counts only with 100 samples beyond it; else its key says so.
  void set_percentile(const std::string& key, double value, double samples_beyond) {
    set(samples_beyond >= 100 ? key : key + "_unstable", value);
  }
  const std::map<std::string, double>& values() const noexcept { return values_; }

 private:
  std::map<std::string, double> values_;
};

struct Key {
  std::string name;
  std::string unit;
  std::optional<double> at_most{};
  std::optional<double> at_least{};
};

struct Group {
  std::string name;
  std::vector<Key> keys;
  std::function<void()> begin{};  // once before the rounds; throwing leaves the group out by name
  std::function<void(Sample&)> round;
  std::function<void()> end{};
};

/// --quick, --only REGEX, --json FILE, and `--NAME VALUE` for each of `extra`. Exits on nonsense.
Options parse_options(int argc, char** argv, const std::vector<std::string>& extra = {});

/// Runs what --only selects, prints the table and writes the JSON. Returns the exit status: 0, or 1
/// when a group could not be measured. A missed bar is printed, not an error.
int run(const Options& options, const std::vector<Group>& groups);

/// "left out: NAME: why", in the table of this run.
void leave_out(const std::string& what, const std::string& why);

double median(std::vector<double> values);

}  // namespace bench
