#pragma once

#include <string>
#include <string_view>

namespace facegate {

// Sends what gRPC says of itself through our log, at our levels, and no longer straight to standard
// error. Idempotent; for the whole process. At most ten lines a minute are written, because
// strangers can cause them; the rest are counted.
void SendGrpcLinesToOurLog();

// A line of gRPC's that is fit for the log: on one line, printable, at most 300 bytes, and without
// what a caller sent ("value=…" and what follows).
std::string CleanGrpcLine(std::string_view line);

}  // namespace facegate
