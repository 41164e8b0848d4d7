// Trains the demo model: reads Fashion-MNIST, trains, measures on the held-out images, writes.

#include <chrono>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "model_folder.hpp"
#include "options.hpp"
#include "trainer.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kQuickImages = 6000;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// One line that moves on a terminal, one line per epoch elsewhere.
class ProgressLine {
 public:
  void operator()(const fashion::Progress& now) const {
    const bool epoch_done = now.batch == now.batches;
    if (!epoch_done && (!terminal_ || now.batch % 10 != 0)) return;
    std::fprintf(stderr, "%sepoch %d/%d  %3zu %%  loss %.3f  %.0f s%s", terminal_ ? "\r" : "",
                 now.epoch, now.epochs, 100 * now.batch / now.batches, now.loss,
                 seconds_since(start_), epoch_done ? "\n" : "");
  }

 private:
  bool terminal_ = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point start_ = Clock::now();
};

void train(fashion::ModelFolder& folder, const fashion::Options& options,
           const fashion::Dataset& images) {
  const auto held_out = fashion::load(options.data, fashion::Split::held_out);
  const std::string blas = fashion::fast_blas();
  std::fprintf(stderr, "training on %zu images, %d epochs, BLAS: %s\n", images.size(),
               options.recipe.epochs,
               blas.empty() ? "not OpenBLAS, slow: install libopenblas0-pthread" : blas.c_str());

  const auto start = Clock::now();
  fashion::TrainingRecord record{options.recipe, images.size(), held_out.size()};
  record.correct = fashion::train_model(images, held_out, options.recipe, folder.unfinished_model(),
                                        ProgressLine());
  record.seconds = seconds_since(start);
  folder.commit(record);
  std::printf("%s: %zu of %zu held-out images right, %.2f %%, after %.0f s\n",
              folder.model().c_str(), record.correct, record.held_out, 100 * record.accuracy(),
              record.seconds);
}

int run(const fashion::Options& options) {
  if (options.help) {
    std::printf("%s", std::string(fashion::kUsage).c_str());
    return 0;
  }
  const auto images = options.quick
                          ? fashion::load(options.data, fashion::Split::train, kQuickImages)
                          : fashion::load(options.data, fashion::Split::train);
  fashion::ModelFolder folder(options.out);
  if (!options.force && folder.holds(options.recipe, images.size())) {
    std::printf("%s: up to date\n", folder.model().c_str());
    return 0;
  }
  train(folder, options, images);
  return 0;
}

/// libtorch's messages go on with a backtrace: the first line says what is wrong.
int report(std::string_view message) {
  const std::string line(message.substr(0, message.find('\n')));
  std::fprintf(stderr, "train_fashion: %s\n", line.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  return run(fashion::parse_options(arguments));
} catch (const fashion::UsageError& error) {
  return report(std::string(error.what()) + "; see --help");
} catch (const std::exception& error) {
  return report(error.what());
}
