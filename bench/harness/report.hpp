// The table and the flat JSON object of a run.
#pragma once

#include <string>
#include <vector>

#include "harness/bench.hpp"

namespace bench {

struct Row {
  Key key;
  std::vector<double> values;  // one per round
};

void print_machine();
void print_header();
void print_row(const Row& row);
/// Throws std::runtime_error when the file cannot be written.
void write_json(const std::string& path, const std::vector<Row>& rows);

}  // namespace bench
