// Writes FOLDER/tiny.pt and tiny.json: two inputs, two outputs.
#include <fstream>

#include "unit/torch/script_files.hpp"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string folder = argv[1];
  aiserve::testing::save_script(folder + "/tiny.pt",
                                "def forward(self, x, n):\n"
                                "    return x * 2.0, n.sum(1)\n");
  std::ofstream(folder + "/tiny.json") << R"({"name": "tiny", "version": "3",
    "inputs": [{"name": "x", "dtype": "float32", "shape": [-1, 2]},
               {"name": "n", "dtype": "int64", "shape": [-1, 2]}],
    "outputs": [{"name": "doubled", "dtype": "float32", "shape": [-1, 2]},
                {"name": "sum", "dtype": "int64", "shape": [-1]}]})";
}
