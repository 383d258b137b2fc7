#include "tests/index/rows/tile_model.h"

#include <array>
#include <cstring>

#include "face/base/check.h"
#include "index/rows/code_amx_body.h"

#if defined(__x86_64__)
#include <signal.h>
#include <ucontext.h>
#endif

namespace facegate {
namespace {

// Tiles as Intel's manual of the instruction set describes them (LDTILECFG, TILELOADD, TILESTORED,
// TILEZERO, TDPBSUD, TILERELEASE; palette 1). What would raise an exception ends the program.
class TileModel {
 public:
  // `bytes` are 64.
  void Configure(const uint8_t* bytes) {
    FACEGATE_CHECK(bytes[0] == 1 && bytes[1] == 0);
    for (size_t i = 2; i < 16; ++i) FACEGATE_CHECK(bytes[i] == 0);
    for (size_t i = 0; i < 16; ++i) {
      uint16_t row_bytes = 0;
      std::memcpy(&row_bytes, bytes + 16 + 2 * i, sizeof(row_bytes));
      const size_t rows = bytes[48 + i];
      FACEGATE_CHECK(rows <= 16 && row_bytes <= 64 && (rows == 0) == (row_bytes == 0));
      FACEGATE_CHECK(rows == 0 || i < tiles_.size());
      if (i < tiles_.size()) tiles_[i] = {.rows = rows, .row_bytes = row_bytes, .bytes = {}};
    }
  }
  void Release() { tiles_ = {}; }

  void Zero(size_t number) { Used(number).bytes = {}; }

  void Load(size_t number, const uint8_t* from, size_t stride) {
    Tile& tile = Used(number);
    tile.bytes = {};
    for (size_t row = 0; row < tile.rows; ++row) {
      std::memcpy(tile.bytes[row].data(), from + row * stride, tile.row_bytes);
    }
  }

  void Store(size_t number, uint8_t* to, size_t stride) {
    const Tile& tile = Used(number);
    for (size_t row = 0; row < tile.rows; ++row) {
      std::memcpy(to + row * stride, tile.bytes[row].data(), tile.row_bytes);
    }
  }

  // Fours of bytes with a sign by fours of bytes without.
  void AddProduct(size_t sums, size_t with_sign, size_t without_sign) {
    FACEGATE_CHECK(sums != with_sign && sums != without_sign && with_sign != without_sign);
    Tile& c = Used(sums);
    const Tile& a = Used(with_sign);
    const Tile& b = Used(without_sign);
    FACEGATE_CHECK(a.row_bytes % 4 == 0 && b.row_bytes % 4 == 0 && c.row_bytes % 4 == 0);
    FACEGATE_CHECK(c.rows == a.rows && c.row_bytes == b.row_bytes && b.rows == a.row_bytes / 4);
    for (size_t row = 0; row < c.rows; ++row) {
      for (size_t column = 0; column < c.row_bytes / 4; ++column) {
        int32_t sum = 0;
        std::memcpy(&sum, c.bytes[row].data() + 4 * column, sizeof(sum));
        for (size_t i = 0; i < a.row_bytes; ++i) {
          sum += static_cast<int8_t>(a.bytes[row][i]) * b.bytes[i / 4][4 * column + i % 4];
        }
        std::memcpy(c.bytes[row].data() + 4 * column, &sum, sizeof(sum));
      }
    }
  }

  bool is_released() const {
    for (const Tile& tile : tiles_) {
      if (tile.rows != 0) return false;
    }
    return true;
  }

 private:
  struct Tile {
    size_t rows = 0;
    size_t row_bytes = 0;
    std::array<std::array<uint8_t, 64>, 16> bytes{};
  };

  Tile& Used(size_t number) {
    FACEGATE_CHECK(number < tiles_.size() && tiles_[number].rows != 0);
    return tiles_[number];
  }

  std::array<Tile, 8> tiles_{};
};

// The model, as the loop takes it.
struct ModelTiles {
  void Configure(const TileConfig& config) {
    model.Configure(reinterpret_cast<const uint8_t*>(&config));
  }
  void Release() { model.Release(); }
  template <size_t kTile>
  void Zero() {
    model.Zero(kTile);
  }
  template <size_t kTile>
  void Load(const void* from) {
    model.Load(kTile, static_cast<const uint8_t*>(from), kTileRowBytes);
  }
  template <size_t kTile>
  void Store(void* to) {
    model.Store(kTile, static_cast<uint8_t*>(to), kTileRowBytes);
  }
  template <size_t kSums, size_t kQueries, size_t kRows>
  void AddProduct() {
    model.AddProduct(kSums, kQueries, kRows);
  }
  static uint16_t Passing(const int32_t* sums, const float* scale, const float* residual,
                          const CodeFilter& filter) {
    unsigned passing = 0;
    for (size_t row = 0; row < kBlockRows; ++row) {
      const float score =
          static_cast<float>(sums[row] - filter.offset) * (scale[row] * filter.by_sum);
      const float upper = residual[row] * filter.by_residual + score;
      passing |= static_cast<unsigned>(!(upper < filter.floor)) << row;
    }
    return static_cast<uint16_t>(passing);
  }

  TileModel model;
};

void ScanByModel(const CodeScanArgs& args) {
  ModelTiles tiles;
  ScanByTiles(args, tiles);
  FACEGATE_CHECK(tiles.model.is_released());
}

#if defined(__x86_64__)

TileModel* emulated = nullptr;

// One instruction, encoded with a VEX prefix of three bytes.
class Instruction {
 public:
  explicit Instruction(greg_t* registers)
      : registers_(registers), bytes_(reinterpret_cast<const uint8_t*>(registers[REG_RIP])) {
    FACEGATE_CHECK(bytes_[0] == 0xC4 && (bytes_[1] & 0x1F) == 2);  // of the map 0F 38
  }

  enum Prefix { kNone, k66, kF3, kF2 };
  Prefix prefix() const { return static_cast<Prefix>(bytes_[2] & 3); }
  uint8_t opcode() const { return bytes_[3]; }
  bool is_of_registers() const { return Mode() == 3; }
  size_t first() const { return bytes_[4] >> 3 & 7; }
  size_t second() const { return bytes_[4] & 7; }
  size_t third() const { return ~bytes_[2] >> 3 & 15; }

  struct Operand {
    uint8_t* address = nullptr;
    size_t stride = 0;
    size_t end = 0;  // of the instruction
  };
  Operand Memory() const {
    constexpr size_t kSib = 4;
    constexpr size_t kRip = 5;
    if (Mode() == 0 && second() == kRip) {
      return {.address = At(registers_[REG_RIP] + 9 + Displacement(5, 4)), .end = 9};
    }
    if (second() != kSib) {
      const greg_t base = Register(second() + (IsSet(0x20) ? 8 : 0));
      return {.address = At(base + Displacement(5, Size())), .end = 5 + Size()};
    }
    const size_t base = (bytes_[5] & 7U) + (IsSet(0x20) ? 8 : 0);
    const size_t index = (bytes_[5] >> 3 & 7U) + (IsSet(0x40) ? 8 : 0);
    FACEGATE_CHECK(Mode() != 0 || base % 8 != kRip);
    const size_t stride = index == 4 ? 0 : static_cast<size_t>(Register(index)) << (bytes_[5] >> 6);
    return {.address = At(Register(base) + Displacement(6, Size())),
            .stride = stride,
            .end = 6 + Size()};
  }

 private:
  unsigned Mode() const { return bytes_[4] >> 6; }
  bool IsSet(unsigned inverted_bit) const { return (bytes_[1] & inverted_bit) == 0; }
  size_t Size() const { return Mode() == 0 ? 0 : Mode() == 1 ? 1 : 4; }
  greg_t Displacement(size_t at, size_t size) const {
    if (size == 0) return 0;
    if (size == 1) return static_cast<int8_t>(bytes_[at]);
    int32_t displacement = 0;
    std::memcpy(&displacement, bytes_ + at, sizeof(displacement));
    return displacement;
  }
  greg_t Register(size_t number) const {
    static constexpr int kRegisters[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                         REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                         REG_R12, REG_R13, REG_R14, REG_R15};
    return registers_[kRegisters[number]];
  }
  static uint8_t* At(greg_t address) { return reinterpret_cast<uint8_t*>(address); }

  greg_t* const registers_;
  const uint8_t* const bytes_;
};

// Does what an instruction of registers alone says.
void EmulateRegisters(const Instruction& instruction) {
  if (instruction.opcode() == 0x49 && instruction.prefix() == Instruction::kNone) {
    return emulated->Release();
  }
  if (instruction.opcode() == 0x49 && instruction.prefix() == Instruction::kF2) {
    return emulated->Zero(instruction.first());
  }
  FACEGATE_CHECK(instruction.opcode() == 0x5E && instruction.prefix() == Instruction::kF3);
  emulated->AddProduct(instruction.first(), instruction.second(), instruction.third());
}

void EmulateMemory(const Instruction& instruction, const Instruction::Operand& operand) {
  if (instruction.opcode() == 0x49 && instruction.prefix() == Instruction::kNone) {
    return emulated->Configure(operand.address);
  }
  FACEGATE_CHECK(instruction.opcode() == 0x4B);
  if (instruction.prefix() == Instruction::kF2) {
    return emulated->Load(instruction.first(), operand.address, operand.stride);
  }
  FACEGATE_CHECK(instruction.prefix() == Instruction::kF3);
  emulated->Store(instruction.first(), operand.address, operand.stride);
}

void Emulate(int, siginfo_t*, void* context) {
  greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  const Instruction instruction(registers);
  if (instruction.is_of_registers()) {
    EmulateRegisters(instruction);
    registers[REG_RIP] += 5;
    return;
  }
  const Instruction::Operand operand = instruction.Memory();
  EmulateMemory(instruction, operand);
  registers[REG_RIP] += static_cast<greg_t>(operand.end);
}

void ScanByEmulatedAmx(const CodeScanArgs& args) {
  TileModel model;
  emulated = &model;
  struct sigaction emulate {};
  struct sigaction before {};
  emulate.sa_sigaction = Emulate;
  emulate.sa_flags = SA_SIGINFO;
  FACEGATE_CHECK(sigaction(SIGILL, &emulate, &before) == 0);
  AmxCodeKernel().scan(args);
  FACEGATE_CHECK(sigaction(SIGILL, &before, nullptr) == 0);
  FACEGATE_CHECK(model.is_released());
}

#endif

}  // namespace

CodeKernel TileModelKernel() {
  return {.name = "tile-model", .scan = ScanByModel, .queries_at_once = kMostQueriesAtOnce};
}

std::optional<CodeKernel> EmulatedAmxCodeKernel() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") == 0 || __builtin_cpu_supports("avx512vnni") == 0) {
    return std::nullopt;
  }
  return CodeKernel{.name = "amx-int8-emulated",
                    .scan = ScanByEmulatedAmx,
                    .queries_at_once = AmxCodeKernel().queries_at_once};
#else
  return std::nullopt;
#endif
}

}  // namespace facegate
