// asio_echo.cpp - an echo server and its clients in one process, written with Asio's coroutines. Asio takes this
// for Windows and drives its completion ports: ConnectEx, AcceptEx, WSASend and WSARecv behind each co_await.
//
//      linsock c++ -std=c++20 -D_WIN32_WINNT=0x0601 examples/cxx/asio_echo.cpp -o asio_echo && ./asio_echo
//
// Needs the headers of Asio (Debian: libasio-dev). The exit status is 0 if every octet came back and every
// connection ended as it should.

#include <asio.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#if !defined(ASIO_HAS_IOCP)
#error "this is about completion ports: compile it with linsock c++, or for Windows"
#endif

using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using asio::ip::tcp;
using asio::ip::udp;

namespace {

constexpr int threads = 4;
constexpr int clients = 48;
constexpr int rounds = 100;
constexpr std::chrono::seconds patience(30);

// What happened, counted by whichever thread it happened on.
struct Books {
    std::atomic<int> accepted{0};
    std::atomic<int> ended{0};
    std::atomic<int> echoed{0};
    std::atomic<int> datagrams{0};
    std::atomic<int> failed{0};

    void fail(const char *what, const asio::error_code &error)
    {
        failed++;
        std::printf("%s: %s (%d)\n", what, error.message().c_str(), error.value());
    }
};

// Gives back what comes, until the client says that nothing more will.
awaitable<void> serve(tcp::socket socket, Books &books)
{
    std::array<char, 4096> data;
    asio::error_code error;
    // An answer in pieces does not wait for the client to acknowledge the first.
    socket.set_option(tcp::no_delay(true), error);
    for (;;) {
        const std::size_t count = co_await socket.async_read_some(asio::buffer(data), redirect_error(use_awaitable, error));
        if (error)
            break;
        co_await asio::async_write(socket, asio::buffer(data, count), redirect_error(use_awaitable, error));
        if (error)
            break;
    }
    if (error == asio::error::eof)
        books.ended++;
    else
        books.fail("server", error);
}

// Accepts until the acceptor is closed.
awaitable<void> listen(tcp::acceptor &acceptor, Books &books)
{
    for (;;) {
        asio::error_code error;
        tcp::socket socket = co_await acceptor.async_accept(redirect_error(use_awaitable, error));
        if (error == asio::error::operation_aborted)
            co_return;
        if (error) {
            books.fail("accept", error);
            co_return;
        }
        books.accepted++;
        asio::co_spawn(co_await asio::this_coro::executor, serve(std::move(socket), books), asio::detached);
    }
}

// Sends texts of many lengths and compares what comes back; then says that it has ended, and waits for the server's end.
awaitable<void> ask(tcp::endpoint at, int number, Books &books)
{
    asio::error_code error;
    try {
        tcp::socket socket(co_await asio::this_coro::executor);
        co_await socket.async_connect(at, use_awaitable);
        socket.set_option(tcp::no_delay(true));
        for (int round = 0; round < rounds; round++) {
            const std::string text(1 + static_cast<std::size_t>(number * rounds + round) * 7 % 20000, static_cast<char>('a' + round % 26));
            std::string answer(text.size(), '?');
            co_await asio::async_write(socket, asio::buffer(text), use_awaitable);
            co_await asio::async_read(socket, asio::buffer(answer), use_awaitable);
            if (answer == text)
                books.echoed++;
        }
        char more;
        socket.shutdown(tcp::socket::shutdown_send);
        co_await socket.async_read_some(asio::buffer(&more, 1), redirect_error(use_awaitable, error));
        if (error != asio::error::eof)
            books.fail("end", error);
    } catch (const asio::system_error &refused) {
        books.fail("client", refused.code());
    }
}

// The same by datagrams, one at a time.
awaitable<void> ask_by_datagrams(Books &books)
{
    try {
        const auto executor = co_await asio::this_coro::executor;
        udp::socket server(executor, udp::endpoint(asio::ip::address_v4::loopback(), 0));
        udp::socket client(executor, udp::endpoint(asio::ip::address_v4::loopback(), 0));
        for (int round = 0; round < rounds; round++) {
            std::array<char, 16> asked{}, answer{};
            udp::endpoint from;
            const int length = std::snprintf(asked.data(), asked.size(), "%d", round);
            co_await client.async_send_to(asio::buffer(asked, static_cast<std::size_t>(length)), server.local_endpoint(), use_awaitable);
            const std::size_t count = co_await server.async_receive_from(asio::buffer(answer), from, use_awaitable);
            co_await server.async_send_to(asio::buffer(answer, count), from, use_awaitable);
            answer.fill(0);
            co_await client.async_receive_from(asio::buffer(answer), from, use_awaitable);
            if (asked == answer && from == server.local_endpoint())
                books.datagrams++;
        }
    } catch (const asio::system_error &refused) {
        books.fail("datagrams", refused.code());
    }
}

} // namespace

int main()
{
    asio::io_context context(threads);
    Books books;
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    asio::steady_timer watchdog(context, patience);
    std::atomic<int> busy{clients + 1};

    watchdog.async_wait([&](const asio::error_code &error) {
        if (!error) {
            books.fail("watchdog", asio::error::timed_out);
            context.stop();
        }
    });
    // Who is the last to end closes the acceptor, whose pending accept is cancelled, and stops the clock.
    const auto end_of_one = [&](std::exception_ptr) {
        if (--busy == 0)
            asio::post(context, [&] {
                acceptor.close();
                watchdog.cancel();
            });
    };
    asio::co_spawn(context, listen(acceptor, books), asio::detached);
    for (int number = 0; number < clients; number++)
        asio::co_spawn(context, ask(acceptor.local_endpoint(), number, books), end_of_one);
    asio::co_spawn(context, ask_by_datagrams(books), end_of_one);

    std::vector<std::thread> workers;
    for (int i = 0; i < threads; i++)
        workers.emplace_back([&] { context.run(); });
    for (auto &worker : workers)
        worker.join();

    std::printf("%d threads, %d connections accepted, %d ended, %d texts and %d datagrams echoed, %d failures\n", threads, books.accepted.load(),
                books.ended.load(), books.echoed.load(), books.datagrams.load(), books.failed.load());
    const bool is_complete = books.accepted == clients && books.ended == clients && books.echoed == clients * rounds && books.datagrams == rounds;
    return is_complete && books.failed == 0 ? 0 : 1;
}
