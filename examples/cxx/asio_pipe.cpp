// asio_pipe.cpp - an echo server on named pipes and its clients in one process. Asio has handles of Windows' as streams
// (windows::stream_handle) and foreign operations on its completion port (windows::overlapped_ptr): ConnectNamedPipe.
//
//      linsock c++ -std=c++20 -D_WIN32_WINNT=0x0601 examples/cxx/asio_pipe.cpp -o asio_pipe && ./asio_pipe
//
// Needs the headers of Asio (Debian: libasio-dev). The exit status is 0 if every client got back what it sent.

#include <asio.hpp>
#include <asio/windows/overlapped_ptr.hpp>
#include <asio/windows/stream_handle.hpp>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr int threads = 4;
constexpr int rounds = 100;
constexpr DWORD patience = 10000; // milliseconds

std::string pipe_name()
{
    return "\\\\.\\pipe\\asio-echo-" + std::to_string(GetCurrentProcessId());
}

// One client's connection, which lives as long as an operation on it does.
class Session : public std::enable_shared_from_this<Session> {
public:
    Session(asio::io_context &io, HANDLE pipe) : pipe_(io, pipe) {}

    void echo()
    {
        pipe_.async_read_some(asio::buffer(data_), [self = shared_from_this()](std::error_code error, size_t length) {
            if (!error)
                self->answer(length);
        });
    }

private:
    void answer(size_t length)
    {
        const auto data = asio::buffer(data_, length);
        asio::async_write(pipe_, data, [self = shared_from_this()](std::error_code error, size_t) {
            if (!error)
                self->echo();
        });
    }

    asio::windows::stream_handle pipe_;
    std::array<char, 256> data_{};
};

// Serves so many clients, each with an instance of its own.
void serve(asio::io_context &io, int clients)
{
    if (clients == 0)
        return;
    const HANDLE pipe =
        CreateNamedPipeA(pipe_name().c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_WAIT,
                         PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, nullptr);
    if (pipe == INVALID_HANDLE_VALUE) {
        std::printf("CreateNamedPipe: error %lu\n", (unsigned long)GetLastError());
        return;
    }
    auto session = std::make_shared<Session>(io, pipe);
    asio::windows::overlapped_ptr connect(io, [session, &io, clients](std::error_code error, size_t) {
        serve(io, clients - 1);
        if (!error)
            session->echo();
    });
    const BOOL connected = ConnectNamedPipe(pipe, connect.get());
    const DWORD error = GetLastError();
    if (connected || error == ERROR_IO_PENDING)
        connect.release();
    else if (error == ERROR_PIPE_CONNECTED)
        connect.complete(std::error_code(), 0);
    else
        connect.complete(std::error_code((int)error, asio::error::get_system_category()), 0);
}

HANDLE opened()
{
    for (;;) {
        const HANDLE pipe =
            CreateFileA(pipe_name().c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY)
            return pipe;
        if (!WaitNamedPipeA(pipe_name().c_str(), patience))
            return INVALID_HANDLE_VALUE;
    }
}

// Whether a client gets back what it sends.
bool ask(const std::string &text)
{
    std::array<char, 64> back{};
    DWORD sent = 0, received = 0;
    const HANDLE pipe = opened();

    if (pipe == INVALID_HANDLE_VALUE)
        return false;
    const bool answered = WriteFile(pipe, text.data(), (DWORD)text.size(), &sent, nullptr)
                          && ReadFile(pipe, back.data(), (DWORD)back.size(), &received, nullptr);
    CloseHandle(pipe);
    return answered && std::string(back.data(), received) == text;
}

} // namespace

int main()
{
    asio::io_context io;
    std::atomic<int> answered{0};
    std::vector<std::thread> clients;

    serve(io, threads * rounds);
    for (int thread = 0; thread < threads; thread++) {
        clients.emplace_back([&answered, thread] {
            for (int round = 0; round < rounds; round++)
                answered += ask("client " + std::to_string(thread) + ", round " + std::to_string(round));
        });
    }
    io.run();
    for (auto &client : clients)
        client.join();
    std::printf("%d of %d clients got back what they sent\n", answered.load(), threads * rounds);
    return answered == threads * rounds ? 0 : 1;
}
