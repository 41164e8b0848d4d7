#include "tuner/arguments.hpp"

namespace tuner {

std::string_view help_text() noexcept {
  return R"(aiserve-bench: what a model gives behind aiserve's batcher, and with which setting.

  aiserve-bench sweep [MODEL] [SETTINGS] [--goal 10ms]      find the setting to use
  aiserve-bench run   [MODEL | URL] [SETTING] [LOAD]        measure one setting, or a service
  aiserve-bench compare BEFORE.json AFTER.json              say what got worse

MODEL, in this process
  --model MODEL      null | sleep:A+Bn | spin:A+Bn (default spin:400us+40us) | fashion[:FILE] |
                     torch:FILE.pt (with its side-car FILE.json; inputs are random)
  --row-bytes N      size of an input of null, sleep and spin; default 3072
URL, a service that takes POST
  --url URL          http://HOST:PORT/PATH
  --body FILE        what is posted; --content-type TYPE, default application/octet-stream
  --connections N    keep-alive connections, default 256
  --tenant-header H  header that names the tenant of a mix
SETTING (sweep: lists like 1,8,64)
  --max-batch N      default 64; sweep: 1,2,4,8,16,32,64
  --instances N      default 1
  --threads N        inside one instance, TorchScript only; default 1
  --wait W           0: the Batcher's rule, the default; 1ms, 2ms, 5ms: a fixed window in its place
  --max-queue N      default 1024
LOAD
  --closed N[,M]     N clients that wait for each answer; the default, with 64
  --open KIND        poisson | uniform | bursty | replay: requests come when they come
  --rate R[,S]       requests per second of an open load
  --burst ON:OFF     of bursty; default 100ms:100ms
  --arrivals FILE    of replay: one time in seconds per line; --rate stretches it
  --tenants LIST     name:weight:rate,... in place of --rate
  --deadline D       of every request
  --goal D           p99 that the recommended setting has to keep
MEASURING
  --seconds S        per load and repeat, default 2; --warm-up D before it, default 300ms
  --repeats N        default 5, sweep 3; --seed N of the arrivals
  --quick            3 repeats of 0.5 s
OUTPUT
  --json FILE        every key with its repeats, for compare
  --html FILE        a report with plots, in one file that needs no network
  --quiet            no progress bar
  --threshold P      compare: smallest change that counts, default 5 %

Exit status: 0; 1 when the offered rate was not reached, something failed, or compare found a
regression; 2 for a command line or a file that makes no sense.
)";
}

}  // namespace tuner
