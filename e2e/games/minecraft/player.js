// A player: joins the server at HOST PORT VERSION, says LINE once it stands in the world, and
// leaves when its own line has come back to it.
const mineflayer = require('mineflayer')

const [host, port, version, line] = process.argv.slice(2)
const player = mineflayer.createBot({
  host,
  port: Number(port),
  version,
  username: 'Hen',
  auth: 'offline'
})
const give_up = setTimeout(() => fail('no answer'), 60000)

function fail (reason) {
  console.error(String(reason))
  process.exit(1)
}

player.once('spawn', () => {
  console.log('spawned')
  player.chat(line)
})
player.on('chat', (name, message) => {
  if (message !== line) return
  console.log(`heard ${name}: ${message}`)
  clearTimeout(give_up)
  player.quit()
})
player.once('end', () => process.exit(0))
player.once('kicked', fail)
player.once('error', fail)
