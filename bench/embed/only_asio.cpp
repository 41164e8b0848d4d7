// What bench embed compiles beside the hello server: Asio and nothing else.
#include <boost/asio.hpp>

int main() {}
